"""What makes the sound on this machine, by its settings."""

from scenescore_composer.rendering.service import NoSound
from scenescore_composer.rendering.settings import RenderGroup
from scenescore_composer.rendering.sound import SoundMaker
from scenescore_composer.rendering.soundfonts import NoSoundError, find

_MIB = 2**20


def open_sound(settings: RenderGroup) -> SoundMaker | NoSound:
    """A sound maker that has played a note already, or the reason why there is none."""
    try:
        maker = SoundMaker(
            find(settings.soundfont),
            formats=settings.formats,
            seconds=settings.seconds,
            memory_bytes=settings.memory_mb * _MIB,
        )
        maker.check()
    except NoSoundError as error:
        return NoSound(error)
    return maker
