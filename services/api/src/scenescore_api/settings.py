"""Settings of the API, of the sweeper and of the deliverer of webhooks."""

from collections.abc import Iterable
from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from scenescore_shared.rate_limits import RateLimit
from scenescore_shared.settings import CommonSettings, Group


class ApiGroup(Group):
    host: Annotated[str, Field(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on")] = 8000
    require_keys: Annotated[
        bool,
        Field(description="Whether every request needs a key; must be true to listen on more than loopback"),
    ] = False
    session_seconds: Annotated[
        int, Field(gt=0, description="How long a browser that sent a key stays signed in to the page")
    ] = 7 * 86400
    hsts_seconds: Annotated[
        int, Field(ge=0, description="How long browsers shall insist on HTTPS (HSTS); 0 leaves it to them")
    ] = 0
    max_upload_bytes: Annotated[int, Field(gt=0, description="Largest picture that is taken")] = 20_000_000
    upload_seconds: Annotated[
        float, Field(gt=0, description="How long a request's body may take to arrive whole")
    ] = 60.0
    max_pixels: Annotated[int, Field(gt=0, description="Most pixels that a picture may have")] = 50_000_000
    max_pixels_at_once: Annotated[
        int,
        Field(
            gt=0,
            description="Pixels of all pictures being decoded, at 4 to 13 bytes each (WebP, which counts twice: "
            "17); larger ones wait",
        ),
    ] = 50_000_000
    max_streams: Annotated[int, Field(ge=0, description="Most event streams open at a time")] = 500
    presigned_seconds: Annotated[int, Field(gt=0, description="How long a presigned download is good")] = 300


class LimitsGroup(Group):
    """Of each key, and of each listening session. 0 is no limit; who needs no key has none."""

    requests: Annotated[int, Field(ge=0, description="Requests a key may make at once; 0: any number")] = 600
    requests_window_seconds: Annotated[
        int, Field(gt=0, description="Seconds in which as many requests grow back")
    ] = 60
    submissions: Annotated[int, Field(ge=0, description="Jobs a key may submit at once; 0: any number")] = 120
    submissions_window_seconds: Annotated[
        int, Field(gt=0, description="Seconds in which as many submissions grow back")
    ] = 60
    unfinished_jobs: Annotated[
        int, Field(ge=0, description="Unfinished jobs that an owner of keys may have; 0: any number")
    ] = 100

    listening: Annotated[
        int,
        Field(
            ge=0, description="Requests that a session's listeners may make at once, together; 0: any number"
        ),
    ] = 1200
    listening_window_seconds: Annotated[
        int, Field(gt=0, description="Seconds in which as many of theirs grow back")
    ] = 60

    @property
    def of_requests(self) -> tuple[RateLimit, ...]:
        return _limit("default", self.requests, self.requests_window_seconds)

    @property
    def of_submissions(self) -> tuple[RateLimit, ...]:
        return _limit("submit", self.submissions, self.submissions_window_seconds)

    @property
    def of_listening(self) -> tuple[RateLimit, ...]:
        return _limit("listen", self.listening, self.listening_window_seconds)


def _limit(name: str, requests: int, window_seconds: int) -> tuple[RateLimit, ...]:
    return (RateLimit(name=name, requests=requests, window_seconds=window_seconds),) if requests else ()


class SweeperGroup(Group):
    interval_seconds: Annotated[float, Field(gt=0, description="Wait between two rounds")] = 1.0
    grace_seconds: Annotated[
        float, Field(ge=0, description="How long a job may lie due before its wake-up counts as lost")
    ] = 3.0
    repeat_seconds: Annotated[
        float, Field(gt=0, description="Wait between two wake-ups for the same job")
    ] = 30.0
    batch: Annotated[
        int,
        Field(
            gt=0, description="Most wake-ups a round and step: a woken worker goes on as long as jobs are due"
        ),
    ] = 2
    render_patience_seconds: Annotated[
        float,
        Field(
            gt=0,
            description="How long music may wait for a render worker before its job ends as it is, with a warning",
        ),
    ] = 600.0
    state_dir: Annotated[
        Path | None, Field(description="Where the file alive lies; data_dir/state/sweeper by default")
    ] = None


class RetentionGroup(Group):
    files_seconds: Annotated[
        float, Field(gt=0, description="How long an ended job keeps its picture and outputs")
    ] = 7 * 86400.0
    rows_seconds: Annotated[
        float, Field(gt=0, description="How long an ended job can be read at all; not less than its files")
    ] = 30 * 86400.0
    orphan_grace_seconds: Annotated[
        float,
        Field(
            ge=60,
            description="How old a stored file that no job names must be before it goes; an upload that takes half "
            "of it is refused, and the store's clock must not be half of it behind",
        ),
    ] = 3600.0
    orphan_interval_seconds: Annotated[
        float, Field(gt=0, description="Wait between two searches of the store for such files")
    ] = 3600.0

    @model_validator(mode="after")
    def _files_go_first(self) -> Self:
        if self.rows_seconds < self.files_seconds:
            raise ValueError("rows_seconds can't be less than files_seconds: the files go first")
        return self

    @property
    def files_kept(self) -> timedelta:
        return timedelta(seconds=self.files_seconds)

    @property
    def rows_kept(self) -> timedelta:
        return timedelta(seconds=self.rows_seconds)

    @property
    def orphan_grace(self) -> timedelta:
        return timedelta(seconds=self.orphan_grace_seconds)


class WebhooksGroup(Group):
    signing_key: Annotated[
        SecretStr | None,
        Field(
            min_length=32,
            description="What the secrets of webhooks are derived from, the same for the API and the deliverer; on "
            "SQLite a random one in data_dir. Without one no webhooks are taken",
        ),
    ] = None
    allowed_networks: Annotated[
        tuple[IPv4Network | IPv6Network, ...],
        NoDecode,
        Field(
            description="Networks (10.1.0.0/16, separated by commas) that webhooks may go to though they are not "
            "public, and by plain http"
        ),
    ] = ()
    concurrency: Annotated[int, Field(ge=1, le=64, description="Most messages that are sent at once")] = 8
    timeout_seconds: Annotated[
        float,
        Field(gt=0, le=20, description="Time that a receiver has for its whole answer, lookup included"),
    ] = 10.0
    lease_seconds: Annotated[
        float, Field(gt=0, description="After so long another deliverer takes over from one that was killed")
    ] = 30.0
    interval_seconds: Annotated[float, Field(gt=0, description="Wait between two looks into the outbox")] = (
        0.5
    )
    state_dir: Annotated[
        Path | None, Field(description="Where the file alive lies; data_dir/state/webhooks by default")
    ] = None

    @field_validator("allowed_networks", mode="before")
    @classmethod
    def _split(cls, value: str | Iterable[object]) -> tuple[object, ...]:
        if not isinstance(value, str):
            return tuple(value)
        return tuple(ip_network(part.strip()) for part in value.split(",") if part.strip())

    @model_validator(mode="after")
    def _lease_outlasts_an_attempt(self) -> Self:
        if self.lease_seconds <= self.timeout_seconds:
            raise ValueError("webhooks lease_seconds must be longer than timeout_seconds")
        return self


class ApiSettings(CommonSettings):
    api: ApiGroup = ApiGroup()
    limits: LimitsGroup = LimitsGroup()
    sweeper: SweeperGroup = SweeperGroup()
    retention: RetentionGroup = RetentionGroup()
    webhooks: WebhooksGroup = WebhooksGroup()

    @property
    def sweeper_state_dir(self) -> Path:
        return self.sweeper.state_dir or self.data_dir / "state" / "sweeper"

    @property
    def webhooks_state_dir(self) -> Path:
        return self.webhooks.state_dir or self.data_dir / "state" / "webhooks"

    @property
    def on_sqlite(self) -> bool:
        return self.database_url.startswith("sqlite")
