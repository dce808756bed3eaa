"""Every bad picture is answered 202 or with a problem document, within bounds of time and memory."""

import io
import json
import subprocess
import sys
from collections.abc import Iterator
from typing import NamedTuple

import pytest
from PIL import Image
from samples.api import Api, api_on_fakes
from samples.hostile_pictures import SECRET, TAKEN, Hostile, heavy_pictures, hostile_pictures, tattling
from samples.pictures import encoded, jpeg

from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_api.settings import ApiGroup

LIMITS = PictureLimits(max_bytes=ApiGroup().max_upload_bytes, max_pixels=ApiGroup().max_pixels)
READER = PictureReader(LIMITS, pixels_at_once=LIMITS.max_pixels)

_STATUSES = {
    "picture_undecodable": 422,
    "picture_type_unsupported": 415,
    "picture_too_many_pixels": 422,
    "picture_too_large": 413,
}
_MEGABYTE = 2**20
_PROGRAM = """
import json, sys, time
from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_shared.errors import InvalidPictureError
upload = sys.stdin.buffer.read()
reader = PictureReader(PictureLimits(max_bytes=20_000_000, max_pixels=50_000_000), pixels_at_once=50_000_000)
answer, began = "taken", time.process_time()
try:
    reader.read(upload)
except InvalidPictureError as error:
    answer = error.code
seconds = time.process_time() - began
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps([answer, seconds, int(peak.split()[1]) * 1024]))
"""


@pytest.fixture(scope="module")
def api_with_real_limits() -> Iterator[Api]:
    with api_on_fakes(max_upload_bytes=LIMITS.max_bytes, max_pixels=LIMITS.max_pixels) as api:
        yield api


# Pillow says of some of them that they are not quite right, and reads them
@pytest.mark.filterwarnings("ignore::UserWarning:PIL", "ignore::PIL.Image.DecompressionBombWarning")
def test_every_bad_picture_is_taken_or_refused_in_a_sentence(api_with_real_limits: Api) -> None:
    wrong, seen = [], set()
    for picture in hostile_pictures():
        code, told = _answer(api_with_real_limits, picture)
        seen.add(code)
        if code not in picture.answers or not told:
            wrong.append((picture.name, code, sorted(picture.answers)))
    assert not wrong
    assert seen == {TAKEN, *_STATUSES} - {"picture_too_large"}


def _answer(api: Api, picture: Hostile) -> tuple[str, bool]:
    """The code, and whether a refusal is a whole problem document."""
    answer = api.client.post("/v1/jobs", files={"image": ("p.bin", picture.data)})
    body = answer.json()
    if answer.status_code == 202:
        stored = api.client.get(body["links"]["image"]).content
        return TAKEN, _is_plain_jpeg(stored)
    told = (
        answer.headers["Content-Type"] == "application/problem+json"
        and body["detail"].endswith(".")
        and _STATUSES.get(body["code"]) == answer.status_code
    )
    return body["code"], told


def _is_plain_jpeg(stored: bytes) -> bool:
    image = Image.open(io.BytesIO(stored), formats=["JPEG"])
    image.load()
    return image.mode == "RGB" and set(image.info) <= {
        "jfif",
        "jfif_version",
        "jfif_unit",
        "jfif_density",
        "dpi",
    }


@pytest.mark.parametrize("content_type", ["text/html", "image/svg+xml", "application/pdf", "nonsense", ""])
@pytest.mark.parametrize("name", ["p.exe", "../../etc/passwd", "p.svg", "\x00", "p" * 3000])
def test_what_a_file_is_called_says_nothing(api: Api, name: str, content_type: str) -> None:
    answer = api.client.post("/v1/jobs", files={"image": (name, jpeg(), content_type)})
    assert answer.status_code == 202
    assert answer.json()["input"]["image"]["content_type"] == "image/jpeg"


@pytest.mark.parametrize(("place", "upload"), list(tattling().items()))
def test_nothing_that_tells_of_its_maker_is_stored(place: str, upload: bytes) -> None:
    told = [SECRET, SECRET[:13].decode().encode("utf-16-be")]
    if "ztxt" not in place and place not in {"mpo", "png icc"}:  # packed, or told by a second picture
        assert any(secret in upload for secret in told)
    stored = READER.read(upload).jpeg
    assert not any(secret in stored for secret in told)
    assert _is_plain_jpeg(stored)
    for sign in (b"Exif", b"http://ns.adobe", b"Photoshop", b"ICC_PROFILE", b"MPF\0", b"\xff\xfe"):
        assert sign not in stored[: stored.index(b"\xff\xda")]
    assert stored.endswith(b"\xff\xd9")


def test_no_picture_costs_much_time_or_memory() -> None:
    """Each in a process of its own: no more of a processor's time than some photographs as large as may be take, and
    the bytes a pixel that the settings tell.
    """
    photograph = encoded(Image.effect_noise((7000, 7000), 40).convert("RGB"), quality=60)
    costs = [_cost(photograph) for _ in range(3)]
    assert {cost.answer for cost in costs} == {TAKEN}
    ordinary = min(cost.seconds for cost in costs)
    for picture in heavy_pictures():
        cost = _cost(picture.data)
        assert cost.answer in picture.answers, picture.name
        assert cost.seconds < 15 * ordinary, picture.name
        # Python with Pillow, the upload some times over, and the pixels
        pixels = 16_000_000 if picture.name.startswith("16 million") else 0
        allowed = 60 * _MEGABYTE + 6 * len(picture.data) + (18 if "webp" in picture.name else 14) * pixels
        assert cost.peak < allowed, picture.name


class _Cost(NamedTuple):
    answer: str
    seconds: float
    """Of a processor."""
    peak: int
    """Bytes of memory."""


def _cost(upload: bytes) -> _Cost:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], input=upload, capture_output=True, check=True)
    return _Cost(*json.loads(done.stdout))
