"""`python -m scenescore_composer.worker`: the composer's composition root."""

import time
from collections.abc import Callable

import torch

from scenescore_composer.adapters.sql_catalogue import SqlClipCatalogue
from scenescore_composer.base_model.shipped import load_base
from scenescore_composer.corpus.catalogue import ClipCatalogue
from scenescore_composer.service import ComposeStep
from scenescore_composer.settings import ComposerSettings
from scenescore_composer.training import warm_up
from scenescore_shared.adapters.celery_worker import StepWorker
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Step
from scenescore_shared.logs import configure_logging, get_logger
from scenescore_shared.step_runner import StepRunner
from scenescore_shared.wiring import (
    build_blob_store,
    build_clock,
    build_engine,
    build_job_repository,
    build_publisher,
    build_worker_app,
)

_log = get_logger(__name__)

_CORPUS_POLL_SECONDS = 1.0


def main() -> None:
    settings = ComposerSettings()
    configure_logging(settings.log, service="composer")
    app = build_worker_app(settings, name="scenescore-composer")

    def make_runner(stopping: Callable[[], bool]) -> StepRunner:
        torch.set_num_threads(settings.composer.threads)
        engine = build_engine(settings, application="scenescore-composer")
        warm_up()
        catalogue = SqlClipCatalogue(engine)
        _wait_for_corpus(catalogue, stopping)
        blobs = build_blob_store(settings)
        return StepRunner(
            step=Step.COMPOSE,
            handler=ComposeStep(
                catalogue=catalogue,
                blobs=blobs,
                budget=settings.budget,
                base=load_base(settings.composer.model),
                renders=settings.render.enabled,
            ),
            jobs=build_job_repository(engine),
            blobs=blobs,
            publisher=build_publisher(settings, name="scenescore-composer"),
            clock=build_clock(engine),
            settings=settings.jobs,
            stopping=stopping,
        )

    StepWorker(
        app=app, step=Step.COMPOSE, make_runner=make_runner, state_dir=settings.composer_state_dir
    ).run()


def _wait_for_corpus(catalogue: ClipCatalogue, stopping: Callable[[], bool]) -> None:
    """Until there are clips to draw every job would fail: not ready before. A stack starts all at once."""
    told = False
    while not stopping():
        try:
            if catalogue.corpora():
                return
        except TransientError as error:
            _log.warning("corpus_unreachable", reason=error.message)
        if not told:
            _log.info("waiting_for_corpus")
            told = True
        time.sleep(_CORPUS_POLL_SECONDS)


if __name__ == "__main__":
    main()
