"""`python -m scenescore_composer.rendering.worker`: the render worker's composition root."""

from collections.abc import Callable
from importlib.metadata import version

from scenescore_composer.rendering.opening import open_sound
from scenescore_composer.rendering.service import NoSound, RenderStep
from scenescore_composer.rendering.settings import RenderSettings
from scenescore_shared.adapters.celery_worker import StepWorker
from scenescore_shared.jobs import Step
from scenescore_shared.logs import configure_logging, get_logger
from scenescore_shared.running_models import RunningModel, keep_noted
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


def main() -> None:
    settings = RenderSettings()
    configure_logging(settings.log, service="render")
    app = build_worker_app(settings, name="scenescore-render")

    def make_runner(stopping: Callable[[], bool]) -> StepRunner:
        engine = build_engine(settings, application="scenescore-render")
        blobs = build_blob_store(settings)
        sound = open_sound(settings.render)
        if isinstance(sound, NoSound):
            _log.warning("no_sound", reason=sound.reason.message)
        else:
            font = RunningModel(
                name=sound.soundfont.name,
                version=version("scenescore-composer"),
                sha256=sound.soundfont.sha256,
            )
            keep_noted(font, Step.RENDER, blobs, stopping)
        return StepRunner(
            step=Step.RENDER,
            handler=RenderStep(blobs=blobs, sound=sound),
            jobs=build_job_repository(engine),
            blobs=blobs,
            publisher=build_publisher(settings, name="scenescore-render"),
            clock=build_clock(engine),
            settings=settings.jobs,
            stopping=stopping,
        )

    StepWorker(app=app, step=Step.RENDER, make_runner=make_runner, state_dir=settings.render_state_dir).run()


if __name__ == "__main__":
    main()
