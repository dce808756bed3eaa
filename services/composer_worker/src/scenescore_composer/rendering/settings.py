"""Settings of the step `render`."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from scenescore_shared.settings import CommonSettings, Group

Format = Literal["ogg", "mp3", "wav"]


class RenderGroup(Group):
    enabled: Annotated[
        bool,
        Field(description="Whether jobs are rendered; the composer and the render worker must agree"),
    ] = True
    soundfont: Annotated[
        Path | None,
        Field(description="An .sf2 or .sf3 file; without one, Debian's FluidR3_GM or MuseScore_General"),
    ] = None
    formats: Annotated[
        tuple[Format, ...],
        NoDecode,
        Field(description="ogg, mp3, wav, separated by commas; a minute of wav takes 10 MB"),
    ] = ("ogg", "wav")
    seconds: Annotated[
        float, Field(gt=0, description="How long the sound of one job may take to be made, else it has none")
    ] = 45.0
    memory_mb: Annotated[
        int, Field(ge=256, description="Address space of the process that makes the sound, in MiB")
    ] = 2048
    state_dir: Annotated[
        Path | None,
        Field(description="Where the files ready and alive lie; data_dir/state/render by default"),
    ] = None

    @field_validator("formats", mode="before")
    @classmethod
    def _split(cls, value: str | Iterable[str]) -> tuple[str, ...]:
        return tuple(part.strip() for part in value.split(",")) if isinstance(value, str) else tuple(value)


class RenderSettings(CommonSettings):
    render: RenderGroup = RenderGroup()

    @property
    def render_state_dir(self) -> Path:
        return self.render.state_dir or self.data_dir / "state" / "render"
