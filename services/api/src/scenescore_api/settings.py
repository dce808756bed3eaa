"""Settings of the API and of the sweeper."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from scenescore_shared.settings import CommonSettings, Group


class ApiGroup(Group):
    host: Annotated[str, Field(description="Address to listen on")] = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on")] = 8000
    max_upload_bytes: Annotated[int, Field(gt=0, description="Largest picture that is taken")] = 20_000_000
    max_pixels: Annotated[int, Field(gt=0, description="Most pixels that a picture may have")] = 50_000_000
    max_pixels_at_once: Annotated[
        int,
        Field(
            gt=0,
            description="Pixels of all pictures being decoded, at 4 to 13 bytes each (WebP, which counts twice: "
            "17); larger ones wait",
        ),
    ] = 50_000_000
    presigned_seconds: Annotated[int, Field(gt=0, description="How long a presigned download is good")] = 300


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
    state_dir: Annotated[
        Path | None, Field(description="Where the file alive lies; data_dir/state/sweeper by default")
    ] = None


class ApiSettings(CommonSettings):
    api: ApiGroup = ApiGroup()
    sweeper: SweeperGroup = SweeperGroup()

    @property
    def sweeper_state_dir(self) -> Path:
        return self.sweeper.state_dir or self.data_dir / "state" / "sweeper"
