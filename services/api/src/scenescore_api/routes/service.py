"""What the service is and how it is: capabilities, health and metrics."""

from http import HTTPStatus
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from scenescore_api.pictures import CONTENT_TYPES
from scenescore_api.problems import documented
from scenescore_api.routes.dependencies import FOR_ADMINISTRATORS, FOR_EVERYBODY, Service, Settings
from scenescore_api.service import JobService
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Step
from scenescore_shared.options import JobOptions
from scenescore_shared.outputs import OUTPUT_TYPES
from scenescore_shared.running_models import noted

router = APIRouter(tags=["service"])


class PictureCapabilities(BaseModel):
    content_types: list[str]
    max_bytes: int
    max_pixels: int


class ModelView(BaseModel):
    """A model at work. `name` is what jobs' provenance says; `sha256` is of its weights."""

    name: Annotated[str, Field(examples=["thesis-relu@1c0ffee0"])]
    version: Annotated[str, Field(description="Of the software around it", examples=["0.1.0"])]
    sha256: str


class SoundFontView(BaseModel):
    """A SoundFont that workers render with. `name` is its file's, `version` that of the software around it."""

    name: Annotated[str, Field(examples=["FluidR3_GM.sf2"])]
    version: Annotated[str, Field(examples=["0.1.0"])]
    sha256: str


class SoundCapabilities(BaseModel):
    """Whether jobs get sound beside their MIDI."""

    rendered: bool
    soundfonts: list[SoundFontView]


class Capabilities(BaseModel):
    """What this server takes and gives."""

    object: Literal["capabilities"] = "capabilities"
    version: Annotated[str, Field(examples=["0.1.0"])]
    emotions: Annotated[list[str], Field(examples=[["happy", "angry", "sad"]])]
    picture: PictureCapabilities
    classifiers: Annotated[
        list[ModelView] | None,
        Field(
            description="The classifiers that workers run at present: two during an update, none while no worker "
            "does; null when that can't be known because the object store does not answer"
        ),
    ]
    sound: Annotated[
        SoundCapabilities | None,
        Field(
            description="Whether workers render music to sound at present, and with which SoundFonts; null when that "
            "can't be known because the object store does not answer"
        ),
    ]
    options: Annotated[dict[str, Any], Field(description="JSON Schema of the options")]
    outputs: Annotated[
        list[str],
        Field(
            description="What a job may have; `outputs` of a job says what it has",
            examples=[list(OUTPUT_TYPES)],
        ),
    ]


def _classifiers(service: JobService) -> list[ModelView] | None:
    try:
        running = noted(Step.CLASSIFY, service.blobs, service.clock)
    except TransientError:
        return None
    return [ModelView.model_validate(model, from_attributes=True) for model in running]


def _sound(service: JobService) -> SoundCapabilities | None:
    try:
        running = noted(Step.RENDER, service.blobs, service.clock)
    except TransientError:
        return None
    fonts = [SoundFontView.model_validate(font, from_attributes=True) for font in running]
    return SoundCapabilities(rendered=bool(fonts), soundfonts=fonts)


class Health(BaseModel):
    status: Literal["ok", "degraded", "unavailable"]
    parts: Annotated[
        dict[str, Literal["ok", "unavailable"]],
        Field(description="The database, the object store and the broker", examples=[{"database": "ok"}]),
    ]


@router.get("/v1/capabilities", summary="What this server takes and gives", dependencies=FOR_EVERYBODY)
def get_capabilities(request: Request, settings: Settings, service: Service) -> Capabilities:
    return Capabilities(
        version=request.app.version,
        emotions=list(settings.emotions),
        picture=PictureCapabilities(
            content_types=sorted(set(CONTENT_TYPES.values())),
            max_bytes=settings.api.max_upload_bytes,
            max_pixels=settings.api.max_pixels,
        ),
        classifiers=_classifiers(service),
        sound=_sound(service),
        options=JobOptions.model_json_schema(),
        outputs=list(OUTPUT_TYPES),
    )


@router.get("/healthz", summary="The process is alive")
async def get_liveness() -> Health:
    """Not in the thread pool: uploads that wait for their turn there must not look like death."""
    return Health(status="ok", parts={})


@router.get(
    "/readyz",
    summary="The process can take jobs",
    responses={503: {"model": Health, "description": "The database or the object store does not answer"}},
)
def get_readiness(service: Service, response: Response) -> Health:
    """Without the broker jobs are still taken and kept, so its absence only degrades."""
    parts: dict[str, Literal["ok", "unavailable"]] = {}
    for name, part in (("database", service.jobs), ("objects", service.blobs), ("broker", service.publisher)):
        try:
            part.ping()
        except TransientError:
            parts[name] = "unavailable"
        else:
            parts[name] = "ok"
    if "unavailable" in {parts["database"], parts["objects"]}:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
        return Health(status="unavailable", parts=parts)
    return Health(status="ok" if parts["broker"] == "ok" else "degraded", parts=parts)


@router.get(
    "/metrics",
    summary="Figures for Prometheus",
    response_class=PlainTextResponse,
    dependencies=FOR_ADMINISTRATORS,
    responses=documented(HTTPStatus.SERVICE_UNAVAILABLE),
)
def get_metrics(request: Request) -> Response:
    return Response(generate_latest(request.app.state.registry), media_type=CONTENT_TYPE_LATEST)
