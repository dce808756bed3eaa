"""The FastAPI application around a service: middleware, problem documents, routes and OpenAPI."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from prometheus_client import CollectorRegistry

from scenescore_api.answer_headers import AnswerHeaders, Heads
from scenescore_api.docs_page import docs_router
from scenescore_api.doors import Doors
from scenescore_api.following import JobEventData, QueueEventData
from scenescore_api.loopback import LoopbackOnly
from scenescore_api.metrics import JobCounts
from scenescore_api.middleware import BodyLimit, RequestContext
from scenescore_api.openapi_security import describe_security
from scenescore_api.page.router import is_page, page_router
from scenescore_api.pictures import too_large
from scenescore_api.problems import MEDIA_TYPE, Problem, install_problem_handlers
from scenescore_api.ratings.listening import ListeningService
from scenescore_api.ratings.service import RatingService
from scenescore_api.routes import (
    events,
    jobs,
    listening,
    listening_sessions,
    reports,
    session,
    webhook_events,
    webhooks,
)
from scenescore_api.routes import ratings as ratings_routes
from scenescore_api.routes import service as service_routes
from scenescore_api.routes.paths import RoutePaths
from scenescore_api.service import JobService
from scenescore_api.settings import ApiSettings
from scenescore_api.watching import JobWatch, OpenStreams

_FORM_OVERHEAD_BYTES = 256 * 1024
"""What a form may be larger than its picture: the options and the boundaries."""

_REQUEST_ID_HEADER = {
    "description": "The request's id: the client's own X-Request-ID, or a new one",
    "schema": {"type": "string"},
}
_TRY_AGAIN_HEADER = {"description": "Seconds until it is worth trying again", "schema": {"type": "integer"}}

_ONLY_NAMED = (Problem, JobEventData, QueueEventData)
"""Models that no route returns, since handlers and streams make them."""

_DESCRIPTION = """Post a picture of a scene; get back how it feels (probabilities over emotions) and a new piece
of music that feels the same. Errors are problem documents (RFC 9457); times are RFC 3339 in UTC."""


def make_app(
    service: JobService,
    settings: ApiSettings,
    *,
    doors: Doors,
    ratings: RatingService,
    on_shutdown: Callable[[], None],
) -> FastAPI:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        yield
        on_shutdown()

    app = FastAPI(
        title="Scenescore",
        version=version("scenescore-api"),
        description=_DESCRIPTION,
        lifespan=lifespan,
        # our own, with a policy that suits it
        docs_url=None,
        redoc_url=None,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        webhooks=webhook_events.router,
    )
    app.state.settings = settings
    app.state.service = service
    app.state.doors = doors
    app.state.ratings = ratings
    app.state.listening = ListeningService(owners=ratings)
    app.state.paths = RoutePaths(app)
    app.state.watch = JobWatch(service.jobs.seqs)
    app.state.streams = OpenStreams(settings.api.max_streams)
    app.state.registry = CollectorRegistry()
    app.state.registry.register(JobCounts(service.jobs, service.clock))
    _add_middleware(app, settings)
    install_problem_handlers(app)
    app.include_router(jobs.router)
    app.include_router(events.router)
    app.include_router(ratings_routes.router)
    app.include_router(listening_sessions.router)
    app.include_router(reports.router)
    app.include_router(listening.router)
    app.include_router(webhooks.router)
    app.include_router(session.router)
    app.include_router(service_routes.router)
    app.include_router(docs_router(app))
    app.include_router(page_router())
    _complete_openapi(app, settings.emotions)
    return app


def _add_middleware(app: FastAPI, settings: ApiSettings) -> None:
    max_upload_bytes = settings.api.max_upload_bytes
    app.add_middleware(
        BodyLimit,
        max_bytes=max_upload_bytes + _FORM_OVERHEAD_BYTES,
        seconds=settings.api.upload_seconds,
        # a new one each time: an error keeps the frames that it passed
        too_large=partial(too_large, max_upload_bytes),
    )
    if not settings.api.require_keys:
        app.add_middleware(LoopbackOnly, is_page=is_page)
    app.add_middleware(Heads)
    # added last, so outermost: its id and these headers are on every answer
    app.add_middleware(RequestContext, registry=app.state.registry)
    app.add_middleware(AnswerHeaders, hsts_seconds=settings.api.hsts_seconds)


def _complete_openapi(app: FastAPI, emotions: Sequence[str]) -> None:
    """Adds to OpenAPI what FastAPI can't derive: the problem document, which handlers make, not routes, and
    what the settings say.
    """
    derived = app.openapi

    def openapi() -> dict[str, Any]:
        document = derived()
        schemas = document["components"]["schemas"]
        if "Problem" not in schemas:
            for model in _ONLY_NAMED:
                schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
                schemas.update(schema.pop("$defs", {}))
                schemas[model.__name__] = schema
            _drop_automatic_validation_errors(document)
            describe_security(document, keys_required=app.state.settings.api.require_keys)
            _add_what_every_answer_has(document)
            _name_the_emotions(document, emotions)
        return document

    app.openapi = openapi  # type: ignore[method-assign] # FastAPI's documented way to extend the document


def _drop_automatic_validation_errors(document: dict[str, Any]) -> None:
    """FastAPI promises a 422 of its own shape wherever a route has a parameter; ours are problems, where any."""
    for operations in (*document["paths"].values(), *document["webhooks"].values()):
        for operation in operations.values():
            if "application/json" in operation["responses"].get("422", {}).get("content", {}):
                del operation["responses"]["422"]
    for name in ("HTTPValidationError", "ValidationError"):
        document["components"]["schemas"].pop(name, None)


def _add_what_every_answer_has(document: dict[str, Any]) -> None:
    problem = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            responses["default"] = {"description": "Any other error", "content": problem}
            for status, response in responses.items():
                headers = response.setdefault("headers", {})
                headers["X-Request-ID"] = _REQUEST_ID_HEADER
                if status == str(int(HTTPStatus.SERVICE_UNAVAILABLE)):
                    headers["Retry-After"] = _TRY_AGAIN_HEADER


def _name_the_emotions(document: dict[str, Any], emotions: Sequence[str]) -> None:
    for mix in document["components"]["schemas"]["JobOptions"]["properties"]["emotions"]["anyOf"]:
        if mix["type"] == "object":
            mix["propertyNames"] = {"enum": list(emotions)}
            mix["minProperties"] = 1
            mix["additionalProperties"]["minimum"] = 0
