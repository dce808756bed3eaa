"""What the API answers: the job as its clients see it (DESIGN: `/v1`). Examples are in OpenAPI."""

from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from scenescore_api.queue_places import MAX_QUEUE_POSITION
from scenescore_shared.emotions import Mix
from scenescore_shared.jobs import Job, JobError, JobWarning, Music, Output, Picture, Status, Step
from scenescore_shared.options import JobOptions

_JOB_ID = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001"


class ImageView(BaseModel):
    """The uploaded picture; width and height in pixels, upright."""

    sha256: Annotated[str, Field(description="Of the upload", examples=["9f86d081884c7d65…"])]
    content_type: Annotated[str, Field(examples=["image/jpeg"])]
    width: Annotated[int, Field(examples=[640])]
    height: Annotated[int, Field(examples=[480])]
    bytes: Annotated[int, Field(examples=[73_512])]


class InputView(BaseModel):
    image: ImageView | None
    options: JobOptions


class OutputView(BaseModel):
    name: Annotated[str, Field(examples=["music.mid"])]
    content_type: Annotated[str, Field(examples=["audio/midi"])]
    bytes: Annotated[int, Field(examples=[2_413])]
    sha256: str
    url: Annotated[str, Field(examples=[f"/v1/jobs/{_JOB_ID}/outputs/music.mid"])]


class MusicView(BaseModel):
    seconds: Annotated[float, Field(examples=[30.0])]
    tempo_bpm: Annotated[float, Field(description="Quarter notes a minute", examples=[112])]
    key: Annotated[str, Field(examples=["G major"])]
    notes: Annotated[int, Field(examples=[214])]


class ErrorView(BaseModel):
    """Why the job failed. `code` is stable."""

    code: Annotated[str, Field(examples=["worker_lost"])]
    message: str


class WarningView(BaseModel):
    """What is missing from a job that succeeded all the same. `code` is stable."""

    code: Annotated[str, Field(examples=["no_soundfont"])]
    message: str


class MetricsView(BaseModel):
    """Seconds; null as long as they are not known."""

    queued_seconds: float | None
    classify_seconds: float | None
    compose_seconds: float | None
    render_seconds: float | None


class LinksView(BaseModel):
    self: str
    cancel: str
    events: str
    image: str | None
    outputs: list[str]


class JobView(BaseModel):
    """A job. `emotions` is the mix used: classified, or asked for."""

    id: Annotated[str, Field(description="UUIDv7", examples=[_JOB_ID])]
    object: Literal["job"] = "job"
    status: Annotated[
        Status, Field(description="queued → running → succeeded | failed | canceled; later expired")
    ]
    step: Annotated[Step | None, Field(description="What the job waits for or is in the middle of")]
    progress: Annotated[float, Field(ge=0, le=1)]
    queue_position: Annotated[
        int | None,
        Field(
            ge=0,
            le=MAX_QUEUE_POSITION,
            description="How many jobs of the same step come first, at most two seconds ago; null when not "
            f"waiting. {MAX_QUEUE_POSITION} stands for a thousand or more",
        ),
    ]
    input: InputView
    emotions: Annotated[Mix | None, Field(examples=[{"happy": 0.71, "angry": 0.08, "sad": 0.21}])]
    outputs: Annotated[
        list[OutputView],
        Field(
            description="The files made so far. music.mid is there, and can be fetched, as soon as `step` is render"
        ),
    ]
    music: Annotated[MusicView | None, Field(description="Known as soon as music.mid is there")]
    provenance: Annotated[
        dict[str, Any],
        Field(
            description="How the music was made: seed, classifier, composer, corpus, clips drawn, library versions",
            examples=[{"seed": 7, "classifier": "thesis-relu@1c0ffee0", "composer": "lstm-remi@1"}],
        ),
    ]
    error: ErrorView | None
    warnings: Annotated[
        list[WarningView],
        Field(
            description="What is missing from a job that succeeded all the same, such as its sound where the server "
            "has no SoundFont"
        ),
    ]
    metrics: MetricsView
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: Annotated[
        datetime | None, Field(description="When the files of an ended job go, or went; null before its end")
    ]
    links: LinksView


class JobList(BaseModel):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[JobView]
    next_page_token: Annotated[str | None, Field(description="Give it as page_token; null on the last page")]


def job_view(
    job: Job, *, queue_position: int | None, expires_at: datetime | None, url_for: Callable[..., str]
) -> JobView:
    """The job for its clients. `url_for(route, **path)` makes the links."""
    outputs = [_output_view(job.id, output, url_for) for output in job.outputs]
    return JobView(
        id=job.id,
        status=job.status,
        step=job.step,
        progress=job.progress,
        queue_position=queue_position,
        input=InputView(image=_image_view(job.picture), options=JobOptions.model_validate(dict(job.options))),
        emotions=job.emotions,
        outputs=outputs,
        music=_music_view(job.music),
        provenance=dict(job.provenance),
        error=_error_view(job.error),
        warnings=[_warning_view(warning) for warning in job.warnings],
        metrics=_metrics_view(job),
        created_at=job.created_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        expires_at=expires_at,
        links=LinksView(
            self=url_for("get_job", job_id=job.id),
            cancel=url_for("cancel_job", job_id=job.id),
            events=url_for("follow_job", job_id=job.id),
            image=url_for("get_image", job_id=job.id) if job.picture and not job.files_gone_at else None,
            outputs=[output.url for output in outputs],
        ),
    )


def _image_view(picture: Picture | None) -> ImageView | None:
    return ImageView.model_validate(picture, from_attributes=True) if picture else None


def _music_view(music: Music | None) -> MusicView | None:
    return MusicView.model_validate(music, from_attributes=True) if music else None


def _error_view(error: JobError | None) -> ErrorView | None:
    return ErrorView.model_validate(error, from_attributes=True) if error else None


def _warning_view(warning: JobWarning) -> WarningView:
    return WarningView.model_validate(warning, from_attributes=True)


def _output_view(job_id: str, output: Output, url_for: Callable[..., str]) -> OutputView:
    return OutputView(
        name=output.name,
        content_type=output.content_type,
        bytes=output.bytes,
        sha256=output.sha256,
        url=url_for("get_output", job_id=job_id, name=output.name),
    )


def _metrics_view(job: Job) -> MetricsView:
    queued = (job.started_at - job.created_at).total_seconds() if job.started_at else None
    return MetricsView(
        queued_seconds=queued,
        classify_seconds=job.step_seconds.get(Step.CLASSIFY),
        compose_seconds=job.step_seconds.get(Step.COMPOSE),
        render_seconds=job.step_seconds.get(Step.RENDER),
    )
