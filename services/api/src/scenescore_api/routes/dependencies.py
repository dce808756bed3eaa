"""What routes take from the application: put on its state by `create_app`."""

from typing import Annotated

from fastapi import Depends, Request

from scenescore_api.callers import LOCAL, Caller
from scenescore_api.service import JobService
from scenescore_api.settings import ApiSettings


def _service(request: Request) -> JobService:
    service: JobService = request.app.state.service
    return service


def _settings(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings


def _caller(_: Request) -> Caller:
    return LOCAL


Service = Annotated[JobService, Depends(_service)]
Settings = Annotated[ApiSettings, Depends(_settings)]
CallerOf = Annotated[Caller, Depends(_caller)]
