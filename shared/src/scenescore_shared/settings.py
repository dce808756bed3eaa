"""Settings that every service knows. Each service adds a group of its own in its `settings.py`.

All come from the environment: `SCENESCORE_<GROUP>__<NAME>`. With none set, everything runs on this machine:
SQLite, a directory and a broker made of files, all under `data_dir`.
"""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import quote

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from scenescore_shared.emotions import ALL_EMOTIONS, DEFAULT_EMOTIONS
from scenescore_shared.jobs import LeasePolicy

PREFIX = "SCENESCORE_"
SERVICE_GROUPS = frozenset(
    {"api", "limits", "sweeper", "retention", "webhooks", "classifier", "composer", "render"}
)
"""Groups that belong to one service: the others let them pass, since a stack shares one environment."""
CLIENT_GROUP = "client"
"""What `scenescore submit` reads, in the same shell as other commands."""


class Group(BaseModel):
    # errors name the setting and never its value, which may be a secret in the wrong place
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class DatabaseSettings(Group):
    url: Annotated[
        SecretStr | None,
        Field(
            description="postgresql+psycopg://user:password@host/name, or sqlite:///path; a file in data_dir"
        ),
    ] = None


class BrokerSettings(Group):
    url: Annotated[
        SecretStr | None, Field(description="redis://…, or filesystem:///folder; a folder in data_dir")
    ] = None


class StorageSettings(Group):
    """A bucket of an S3-compatible store when `bucket` is set, else a folder in data_dir."""

    bucket: Annotated[
        str | None, Field(description="Bucket of an S3-compatible store; without one, a folder in data_dir")
    ] = None
    endpoint_url: Annotated[str | None, Field(description="The store, as the services reach it")] = None
    public_endpoint_url: Annotated[
        str | None,
        Field(description="Host that clients reach; set it to redirect downloads to presigned URLs"),
    ] = None
    region: Annotated[str, Field(description="The store's region: a part of each signature")] = "us-east-1"
    access_key_id: Annotated[str | None, Field(description="The store's key")] = None
    secret_access_key: Annotated[SecretStr | None, Field(description="The store's secret")] = None

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if self.bucket and not (self.access_key_id and self.secret_access_key):
            raise ValueError("a storage bucket needs access_key_id and secret_access_key")
        return self


class JobSettings(Group):
    lease_seconds: Annotated[
        float, Field(gt=0, description="A claim that is not renewed for so long is given to another worker")
    ] = 30.0
    max_attempts: Annotated[int, Field(ge=1, description="Tries of each step before a job fails")] = 3
    retry_base_seconds: Annotated[
        float, Field(gt=0, description="Wait before the second try; it doubles with each, and is jittered")
    ] = 1.0
    retry_cap_seconds: Annotated[float, Field(gt=0, description="Longest wait between two tries")] = 60.0

    @property
    def lease(self) -> LeasePolicy:
        return LeasePolicy(seconds=self.lease_seconds, max_attempts=self.max_attempts)


class LogSettings(Group):
    level: Annotated[
        Literal["debug", "info", "warning", "error"], Field(description="debug, info, warning or error")
    ] = "info"
    format: Annotated[
        Literal["json", "console"] | None,
        Field(description="json or console; by default console on a terminal, else json"),
    ] = None


class CommonSettings(BaseSettings):
    """Base of every service's settings. Raises pydantic's ValidationError for unknown or wrong keys."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_nested_delimiter="__",
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        nested_model_default_partial_update=True,
    )

    data_dir: Annotated[Path, Field(description="Where everything lies that is not in a server")] = Path(
        ".scenescore"
    )
    emotions: Annotated[
        tuple[str, ...], NoDecode, Field(description="The emotions in use, separated by commas")
    ] = DEFAULT_EMOTIONS
    database: DatabaseSettings = DatabaseSettings()
    broker: BrokerSettings = BrokerSettings()
    storage: StorageSettings = StorageSettings()
    jobs: JobSettings = JobSettings()
    log: LogSettings = LogSettings()

    @field_validator("emotions", mode="before")
    @classmethod
    def _split(cls, value: str | Iterable[str]) -> tuple[str, ...]:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)

    @field_validator("emotions")
    @classmethod
    def _known(cls, emotions: tuple[str, ...]) -> tuple[str, ...]:
        if not emotions or len(set(emotions)) < len(emotions) or not set(emotions) <= set(ALL_EMOTIONS):
            raise ValueError(f"emotions are one or more of {', '.join(ALL_EMOTIONS)}, each once")
        return emotions

    @model_validator(mode="after")
    def _no_unknown_variables(self) -> Self:
        # pydantic-settings overlooks variables that match no field; a misspelt one must not be silent
        known = {name.lower() for name in type(self).model_fields} | SERVICE_GROUPS | {CLIENT_GROUP}
        for variable in os.environ:
            if variable.startswith(PREFIX):
                group = variable.removeprefix(PREFIX).split("__")[0].lower()
                if group not in known:
                    raise ValueError(f"unknown setting {variable}; known are {', '.join(sorted(known))}")
        return self

    @property
    def database_url(self) -> str:
        if self.database.url:
            return self.database.url.get_secret_value()
        path = str((self.data_dir / "scenescore.db").absolute())
        # a folder's name may hold what means something in a URL
        return f"sqlite:///{quote(path)}"

    @property
    def broker_url(self) -> str:
        if self.broker.url:
            return self.broker.url.get_secret_value()
        return f"filesystem://{quote(str((self.data_dir / 'broker').absolute()))}"
