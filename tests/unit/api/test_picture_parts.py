"""What is refused before a decoder sees it, and what only looks like it."""

import pytest
from samples.pictures import encoded, scene

from scenescore_api.picture_parts import has_too_many_parts

JPEG = encoded(scene(90, 60))
IN_SCAN = JPEG.index(b"\xff\xda") + 40


@pytest.mark.parametrize("count", [0, 2, 900])
def test_a_little_fill_in_a_scan_is_no_harm(count: int) -> None:
    assert not has_too_many_parts(JPEG[:IN_SCAN] + b"\xff" * count + JPEG[IN_SCAN:])


@pytest.mark.parametrize("rest", [b"", JPEG[IN_SCAN:]], ids=["to its end", "before more data"])
def test_much_fill_in_a_scan_is_refused(rest: bytes) -> None:
    assert has_too_many_parts(JPEG[:IN_SCAN] + b"\xff" * 5_000 + rest)


def test_padding_behind_the_picture_is_none_of_it() -> None:
    assert not has_too_many_parts(JPEG + b"\xff" * 100_000)
