"""Which SoundFont sounds."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import file_digest
from pathlib import Path

from scenescore_shared.errors import ScenescoreError

USUAL_PLACES: tuple[Path, ...] = tuple(
    Path("/usr/share/sounds") / name
    for name in (
        "sf2/FluidR3_GM.sf2",
        "sf3/MuseScore_General.sf3",
        "sf3/MuseScore_General_Lite.sf3",
        "sf2/MuseScore_General.sf2",
        "sf3/default-GM.sf3",
        "sf2/default-GM.sf2",
    )
)
"""Where Debian's packages put theirs: fluid-soundfont-gm, musescore-general-soundfont and its smaller sisters."""


class NoSoundError(ScenescoreError):
    """There can be no sound: the code and the sentence say why."""

    code = "not_rendered"


@dataclass(frozen=True, slots=True)
class SoundFont:
    path: Path
    sha256: str

    @property
    def name(self) -> str:
        return self.path.name


def find(wanted: Path | None, places: Sequence[Path] = USUAL_PLACES) -> SoundFont:
    """The file asked for, else the first that lies in a usual place.

    Raises NoSoundError where there is none, or where it can't be read.
    """
    path = wanted or next((place for place in places if place.is_file()), None)
    if path is None:
        raise NoSoundError(
            "No SoundFont was found where music is rendered: install one there (on Debian the package "
            "fluid-soundfont-gm), or name a file in SCENESCORE_RENDER__SOUNDFONT.",
            code="no_soundfont",
        )
    try:
        with path.open("rb") as file:
            return SoundFont(path, file_digest(file, "sha256").hexdigest())
    except OSError as error:
        raise NoSoundError(
            f"The SoundFont that SCENESCORE_RENDER__SOUNDFONT names can't be read ({error.strerror}).",
            code="no_soundfont",
        ) from error
