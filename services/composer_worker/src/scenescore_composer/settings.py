"""Settings of the composer worker."""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from scenescore_composer.composing import ComposerBudget
from scenescore_composer.rendering.settings import RenderSettings
from scenescore_shared.settings import Group

_BUDGET = ComposerBudget()


class ComposerGroup(Group):
    threads: Annotated[
        int,
        Field(gt=0, description="CPU threads; the same seed gives the same bytes only with the same number"),
    ] = 1
    clips: Annotated[int, Field(gt=0, description="Clips drawn for a job")] = _BUDGET.clips
    model: Annotated[
        Path | None, Field(description="File of your own base model; the one that ships by default")
    ] = None
    training_tokens: Annotated[
        int,
        Field(
            ge=0, description="Tokens that each job learns from its draw; 0 leaves the base model as it is"
        ),
    ] = _BUDGET.training_tokens
    candidates: Annotated[
        int, Field(gt=0, description="Pieces sampled for each variation, of which one is kept")
    ] = _BUDGET.candidates
    state_dir: Annotated[
        Path | None,
        Field(description="Where the files ready and alive lie; data_dir/state/compose by default"),
    ] = None


class ComposerSettings(RenderSettings):
    composer: ComposerGroup = ComposerGroup()

    @property
    def budget(self) -> ComposerBudget:
        return ComposerBudget(
            clips=self.composer.clips,
            training_tokens=self.composer.training_tokens,
            candidates=self.composer.candidates,
        )

    @property
    def composer_state_dir(self) -> Path:
        return self.composer.state_dir or self.data_dir / "state" / "compose"
