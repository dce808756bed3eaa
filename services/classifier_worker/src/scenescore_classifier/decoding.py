"""Many picture files → pictures: several at once, but never more than fit into memory."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

from PIL import Image

from scenescore_classifier.preprocessing import MAX_PIXELS, SIDE, opened, unpacked, weight
from scenescore_shared.errors import InvalidPictureError
from scenescore_shared.turns import Turns

Decoded = Image.Image | InvalidPictureError

Decode = Callable[[Sequence[bytes]], Iterable[Decoded]]
"""Picture files in; for each, in order, the RGB picture or what is wrong with it."""


class PictureDecoder:
    """A `Decode` that works in `threads` threads: Pillow lets go of the GIL while it unpacks.

    Pictures of together at most `pixels_at_once` are being unpacked at a time, a larger one alone: 4 to 12 bytes of
    memory each (see `preprocessing.weight`). What comes out is small, whatever went in. `side` is that of the
    network's input, in pixels. A bad picture is an error in its own place; a slow one keeps one thread busy.
    """

    def __init__(self, *, threads: int = 2, pixels_at_once: int = MAX_PIXELS, side: int = SIDE) -> None:
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="decode")
        self._turns = Turns(pixels_at_once)
        self._side = side

    def __call__(self, pictures: Sequence[bytes]) -> Iterator[Decoded]:
        """Pictures come in order, each as soon as it and those before it are ready; the others go on meanwhile."""
        return self._pool.map(self._decode, pictures)

    def close(self) -> None:
        self._pool.shutdown()

    def _decode(self, data: bytes) -> Decoded:
        try:
            with opened(data) as image, self._turns.taking(weight(image)):
                return unpacked(image, self._side)
        except InvalidPictureError as error:
            return error
