"""Settings of the classifier worker."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from scenescore_shared.settings import CommonSettings, Group


class ClassifierGroup(Group):
    model: Annotated[
        str | None,
        Field(description="Which model classifies, as `scenescore models list` names it; scene by default"),
    ] = None
    device: Annotated[str, Field(description="cpu, or cuda where there is a GPU")] = "cpu"
    threads: Annotated[int, Field(gt=0, description="CPU threads")] = 1
    batch_size: Annotated[int, Field(gt=0, description="Most pictures claimed and classified together")] = 16
    batch_wait_seconds: Annotated[
        float, Field(ge=0, description="How long a batch that is not full waits for more pictures")
    ] = 0.01
    decode_threads: Annotated[int, Field(gt=0, description="Pictures unpacked at the same time")] = 2
    decode_pixels: Annotated[
        int,
        Field(
            gt=0, description="Pixels of the pictures unpacked at the same time; a larger picture comes alone"
        ),
    ] = 50_000_000
    weights_dir: Annotated[Path | None, Field(description="Other weights than those shipped")] = None
    state_dir: Annotated[
        Path | None,
        Field(description="Where the files ready and alive lie; data_dir/state/classify by default"),
    ] = None


class ClassifierSettings(CommonSettings):
    classifier: ClassifierGroup = ClassifierGroup()

    @property
    def classifier_state_dir(self) -> Path:
        return self.classifier.state_dir or self.data_dir / "state" / "classify"
