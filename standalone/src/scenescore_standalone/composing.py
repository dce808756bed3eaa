"""`scenescore compose`: one job from picture to MIDI in this process, on the same service, engine and steps."""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import torch
from pydantic import ValidationError
from tqdm import tqdm
from uuid_utils.compat import uuid7

from scenescore_api.callers import LOCAL
from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_api.queue_places import QueuePlaces
from scenescore_api.schemas import job_view
from scenescore_api.service import Asked, JobService
from scenescore_api.webhooks.addresses import AddressRules
from scenescore_api.webhooks.service import WebhookService
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models.backbone_files import MODELS_FOLDER
from scenescore_classifier.service import ClassifyStep
from scenescore_client.arguments import asked_options
from scenescore_client.files import write_whole
from scenescore_client.report import as_text
from scenescore_composer.base_model.shipped import load_base
from scenescore_composer.rendering.opening import open_sound
from scenescore_composer.rendering.service import NoSound, RenderStep
from scenescore_composer.rendering.sound import SoundMaker
from scenescore_composer.service import ComposeStep
from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.errors import InvalidRequestError, PermanentError
from scenescore_shared.fake_webhooks import InMemorySecretRepository
from scenescore_shared.fakes import InMemoryBlobStore, InMemoryJobRepository, RecordingPublisher
from scenescore_shared.jobs import Job, Step, StepResult
from scenescore_shared.options import JobOptions
from scenescore_shared.outputs import MIDI, OGG, variation
from scenescore_shared.step_runner import Checkpoint, StepHandler, StepRunner
from scenescore_standalone.embedded import Corpora, opened
from scenescore_standalone.settings import StandaloneSettings

_HOUR = 3600.0


def run(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    if options.image is None and options.emotions is None:
        raise InvalidRequestError("name a picture, or give a mix with --emotions")
    _check_output(options.output)
    audio = _audio_beside(options.output) if options.audio else None
    sound = _sound(settings) if options.audio else None
    picture = options.image.read_bytes() if options.image else None
    with opened(settings) as corpora:
        corpora.make_usable()
        try:
            job, files = _compose(settings, corpora, picture, _job_options(options), sound)
        finally:
            if sound is not None:
                sound.close()
    places = _places(options.output, audio, job)
    written = {name: place for name, place in places.items() if name in files}
    for name, place in written.items():
        write_whole([files[name]], place, overwrite=True)
    if options.json:
        sys.stdout.write(_as_json(job, written))
    else:
        sys.stdout.write(as_text(job.emotions, job.music, job.provenance, written))
    if missing := [warning.message for warning in job.warnings if len(written) < len(places)]:
        raise PermanentError(" ".join(missing))
    return 0


def _places(output: Path, audio: Path | None, job: Job) -> dict[str, Path]:
    """Where each file goes that was asked for, by name: OUT.mid, of variations OUT-2.mid and so on, likewise sound."""
    wanted = {MIDI: output} | ({OGG: audio} if audio else {})
    places: dict[str, Path] = {}
    for number in range(1, JobOptions.model_validate(dict(job.options)).variations + 1):
        for name, place in wanted.items():
            places[variation(name, number)] = (
                place if number == 1 else place.with_stem(f"{place.stem}-{number}")
            )
    return places


def _audio_beside(output: Path) -> Path:
    audio = output.with_suffix(".ogg")
    if audio == output:
        raise InvalidRequestError(
            f"--audio writes {audio} beside the MIDI: name that otherwise, such as music.mid"
        )
    _check_output(audio)
    return audio


def _sound(settings: StandaloneSettings) -> SoundMaker:
    """Before the work, as above."""
    sound = open_sound(settings.render.model_copy(update={"formats": ("ogg",)}))
    if isinstance(sound, NoSound):
        raise sound.reason
    return sound


def _check_output(output: Path) -> None:
    """Before the work, so that it is not done for nothing."""
    if not output.parent.is_dir():
        raise InvalidRequestError(f"the folder {output.parent} does not exist: make it first")
    if not output.name or output.is_dir():
        raise InvalidRequestError(f"{output} is a folder: name a file, such as music.mid")
    if not os.access(output.parent, os.W_OK):
        raise InvalidRequestError(f"the folder {output.parent} can't be written to")


def _job_options(options: argparse.Namespace) -> JobOptions:
    try:
        return JobOptions.model_validate(asked_options(options))
    except ValidationError as error:
        reasons = "; ".join(
            f"--{str(item['loc'][0]).replace('_', '-')}: {item['msg']}" for item in error.errors()
        )
        raise InvalidRequestError(reasons) from None


def _compose(
    settings: StandaloneSettings,
    corpora: Corpora,
    picture: bytes | None,
    options: JobOptions,
    sound: SoundMaker | None,
) -> tuple[Job, Mapping[str, bytes]]:
    """The ended job and its files by name, rendered too where `sound` is given.

    The job lives in memory only; the clips come from the data folder.
    """
    torch.set_num_threads(settings.composer.threads)
    jobs, blobs, publisher, clock = (
        InMemoryJobRepository(),
        InMemoryBlobStore(),
        RecordingPublisher(),
        SystemClock(),
    )
    limits = PictureLimits(max_bytes=settings.api.max_upload_bytes, max_pixels=settings.api.max_pixels)
    service = JobService(
        jobs=jobs,
        idempotency_keys=jobs.idempotency_keys,
        blobs=blobs,
        publisher=publisher,
        places=QueuePlaces(jobs, clock),
        clock=clock,
        pictures=PictureReader(limits, pixels_at_once=limits.max_pixels),
        emotions=settings.emotions,
        new_id=lambda: str(uuid7()),
        presigned_for=timedelta(),
        webhooks=WebhookService(
            deliveries=jobs.deliveries,
            secrets=InMemorySecretRepository(),
            clock=clock,
            key=None,
            rules=AddressRules(),
        ),
    )
    job = service.submit(
        Asked(upload=picture, options=options, caller=LOCAL, request_id="scenescore-compose")
    )
    handlers: dict[Step, StepHandler] = {
        Step.COMPOSE: _WithBar(
            ComposeStep(
                catalogue=corpora.catalogue,
                blobs=blobs,
                budget=settings.budget,
                base=load_base(settings.composer.model),
                renders=sound is not None,
            )
        ),
    }
    if sound is not None:
        handlers[Step.RENDER] = RenderStep(blobs=blobs, sound=sound)
    if job.step is Step.CLASSIFY:
        classifier = Classifier.load(
            settings.classifier.weights_dir,
            emotions=settings.emotions,
            device=settings.classifier.device,
            name=settings.classifier.model,
            models_dir=settings.data_dir / MODELS_FOLDER,
        )
        handlers[Step.CLASSIFY] = ClassifyStep(classifier=classifier, blobs=blobs)
    while (job := jobs.get(job.id)).step is not None:
        StepRunner(
            step=job.step,
            handler=handlers[job.step],
            jobs=jobs,
            blobs=blobs,
            publisher=publisher,
            clock=clock,
            # nobody else could take the job over: an error is told at once, not tried again
            settings=settings.jobs.model_copy(update={"max_attempts": 1}),
        ).run_due(for_seconds=_HOUR)
    if job.error is not None:
        raise PermanentError(job.error.message, code=job.error.code)
    return job, {output.name: blobs.get(output.blob_key) for output in job.outputs}


@dataclass(frozen=True, slots=True)
class _WithBar:
    """A handler whose progress a person sees."""

    handler: StepHandler

    def __call__(
        self, batch: Sequence[Job], checkpoint: Checkpoint
    ) -> Iterable[tuple[Job, StepResult | Exception]]:
        layout = "{desc}: {percentage:3.0f}% |{bar}| {elapsed}"
        with tqdm(total=1.0, desc="Composing", bar_format=layout, disable=None, leave=False) as bar:

            def told(job: Job, progress: float) -> None:
                bar.update(progress - bar.n)
                checkpoint(job, progress)

            yield from self.handler(batch, told)


def _as_json(job: Job, written: Mapping[str, Path]) -> str:
    kept = replace(job, outputs=tuple(output for output in job.outputs if output.name in written))

    def url_for(_route: str, *, name: str = MIDI, **_: str) -> str:
        return str(written[name])

    view = job_view(kept, queue_position=None, expires_at=None, url_for=url_for)
    # no server, so no links
    return json.dumps(view.model_dump(mode="json", exclude={"links"}), ensure_ascii=False) + "\n"
