"""What routes take from the application: put on its state by `create_app`."""

from typing import Annotated

from fastapi import Depends, Request

from scenescore_api.callers import LOCAL, Caller
from scenescore_api.service import JobService
from scenescore_api.settings import ApiSettings


# coroutines, since the others cost a way to the thread pool and back each
async def _service(request: Request) -> JobService:
    service: JobService = request.app.state.service
    return service


async def _settings(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings


async def _caller(_: Request) -> Caller:
    return LOCAL


Service = Annotated[JobService, Depends(_service)]
Settings = Annotated[ApiSettings, Depends(_settings)]
CallerOf = Annotated[Caller, Depends(_caller)]
