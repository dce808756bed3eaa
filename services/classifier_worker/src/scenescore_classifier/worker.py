"""`python -m scenescore_classifier.worker`: the classifier's composition root."""

from collections.abc import Callable

import torch

from scenescore_classifier.decoding import PictureDecoder
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models.backbone_files import MODELS_FOLDER
from scenescore_classifier.service import ClassifyStep
from scenescore_classifier.settings import ClassifierSettings
from scenescore_shared.adapters.celery_worker import StepWorker
from scenescore_shared.jobs import Step
from scenescore_shared.logs import configure_logging
from scenescore_shared.running_models import keep_noted
from scenescore_shared.step_runner import BatchPolicy, StepRunner
from scenescore_shared.wiring import (
    build_blob_store,
    build_clock,
    build_engine,
    build_job_repository,
    build_publisher,
    build_worker_app,
)


def main() -> None:
    settings = ClassifierSettings()
    configure_logging(settings.log, service="classifier")
    app = build_worker_app(settings, name="scenescore-classifier")

    def make_runner(stopping: Callable[[], bool]) -> StepRunner:
        torch.set_num_threads(settings.classifier.threads)
        classifier = Classifier.load(
            settings.classifier.weights_dir,
            name=settings.classifier.model,
            emotions=settings.emotions,
            device=settings.classifier.device,
            models_dir=settings.data_dir / MODELS_FOLDER,
            decode=PictureDecoder(
                threads=settings.classifier.decode_threads, pixels_at_once=settings.classifier.decode_pixels
            ),
        )
        classifier.warm_up()
        engine = build_engine(settings, application="scenescore-classifier")
        blobs = build_blob_store(settings)
        keep_noted(classifier.running_model, Step.CLASSIFY, blobs, stopping)
        return StepRunner(
            step=Step.CLASSIFY,
            handler=ClassifyStep(classifier=classifier, blobs=blobs),
            jobs=build_job_repository(engine),
            blobs=blobs,
            publisher=build_publisher(settings, name="scenescore-classifier"),
            clock=build_clock(engine),
            settings=settings.jobs,
            batch=BatchPolicy(
                size=settings.classifier.batch_size, wait_seconds=settings.classifier.batch_wait_seconds
            ),
            stopping=stopping,
        )

    StepWorker(
        app=app, step=Step.CLASSIFY, make_runner=make_runner, state_dir=settings.classifier_state_dir
    ).run()


if __name__ == "__main__":
    main()
