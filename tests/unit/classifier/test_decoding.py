"""Many pictures at once: in order, each on its own, and within the memory that was allowed."""

import io
import threading
import time
from collections.abc import Callable

import pytest
from PIL import Image

from scenescore_classifier import decoding
from scenescore_classifier.decoding import PictureDecoder
from scenescore_classifier.preprocessing import decode
from scenescore_shared.errors import InvalidPictureError
from scenescore_shared.turns import Turns

Paint = Callable[..., bytes]


def test_pictures_come_in_order_and_a_bad_one_in_its_place(paint: Paint) -> None:
    files = [paint(seed, size=(40 + seed, 30)) for seed in range(9)]
    files[4] = files[4][:200]
    decoded = list(PictureDecoder(threads=4)(files))
    assert [item.size if isinstance(item, Image.Image) else type(item) for item in decoded] == [
        *((40 + seed, 30) for seed in range(4)),
        InvalidPictureError,
        *((40 + seed, 30) for seed in range(5, 9)),
    ]
    assert isinstance(decoded[0], Image.Image)
    assert decoded[0].tobytes() == decode(files[0]).tobytes()


def test_others_go_on_beside_a_slow_one(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    others_are_done = threading.Event()
    done: list[int] = []

    def slow_if_wide(image: Image.Image, _: int) -> Image.Image:
        if image.width == 99:
            assert others_are_done.wait(10)
        else:
            done.append(image.width)
            if len(done) == 5:
                others_are_done.set()
        return image.convert("RGB")

    monkeypatch.setattr(decoding, "unpacked", slow_if_wide)
    files = [paint(size=(99, 20)), *(paint(size=(20 + n, 20)) for n in range(5))]
    assert [item.size[0] for item in PictureDecoder(threads=2)(files) if isinstance(item, Image.Image)] == [
        *(99, 20, 21, 22, 23, 24)
    ]


def test_no_more_pixels_at_once_than_allowed(paint: Paint, monkeypatch: pytest.MonkeyPatch) -> None:
    lock = threading.Lock()
    now, most = 0, 0

    def counting(image: Image.Image, _: int) -> Image.Image:
        nonlocal now, most
        with lock:
            now += image.width * image.height
            most = max(most, now)
        time.sleep(0.01)
        with lock:
            now -= image.width * image.height
        return image.convert("RGB")

    monkeypatch.setattr(decoding, "unpacked", counting)
    files = [paint(size=(100, 100)) for _ in range(12)]
    assert len(list(PictureDecoder(threads=6, pixels_at_once=25_000)(files))) == 12
    assert most == 20_000
    most = 0
    assert len(list(PictureDecoder(threads=6, pixels_at_once=5_000)(files))) == 12  # each is larger: alone
    assert most == 10_000


def test_an_error_gives_its_turn_back() -> None:
    turns = Turns(1)
    for _ in range(2):
        with pytest.raises(OSError, match="gone"), turns.taking(1):
            raise OSError("gone")


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
@pytest.mark.parametrize("side", [112, 150, 224])
def test_large_jpegs_of_every_kind_are_unpacked_small(mode: str, side: int) -> None:
    file = io.BytesIO()
    Image.linear_gradient("L").resize((2400, 1800)).convert("RGB").convert(mode).save(
        file, "JPEG", quality=95
    )
    decoded = decode(file.getvalue(), side)
    assert decoded.mode == "RGB"
    assert 2 * side <= min(decoded.size) < 4 * side
    place = (decoded.width // 2, decoded.height * 3 // 4)
    assert decoded.getpixel(place) == pytest.approx((191, 191, 191), abs=4)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "LA", "P", "1", "I;16"])
def test_large_pictures_of_every_mode_come_back_small_with_their_colours(mode: str) -> None:
    image = Image.new("L", (1500, 1000), 255)
    image.paste(0, (0, 0, 1500, 500))
    if mode == "I;16":
        image = image.point(lambda value: value * 257, "I").convert("I;16")
    file = io.BytesIO()
    (image if mode == "I;16" else image.convert(mode)).save(file, "PNG")
    decoded = decode(file.getvalue(), 150)
    assert decoded.mode == "RGB"
    assert decoded.size == (300, 334)
    assert decoded.getpixel((150, 40)) == (0, 0, 0)
    assert decoded.getpixel((150, 300)) == (255, 255, 255)
