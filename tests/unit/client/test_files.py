"""Files: whole or not at all, and only where the user said."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from scenescore_client import DamagedFileError, FileThereError, Output, UnsafeNameError
from scenescore_client.files import checked_name, is_there, verified, write_whole


def output(data: bytes) -> Output:
    sha256 = hashlib.sha256(data).hexdigest()
    return Output(name="music.mid", content_type="audio/midi", bytes=len(data), sha256=sha256)


@pytest.mark.parametrize("name", ["music.mid", "music-2.musicxml", "a", "pianoroll.png", "x" * 128])
def test_plain_names_are_taken(name: str) -> None:
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "..",
        ".bashrc",
        "../music.mid",
        "/etc/passwd",
        "a/b",
        "a\\b",
        "C:music.mid",
        "music.mid\n",
        "music\0.mid",
        "music.mid.",
        "-rf",
        "~root",
        "müsic.mid",
        "x" * 129,
    ],
)
def test_names_that_may_lead_elsewhere_are_not(name: str) -> None:
    with pytest.raises(UnsafeNameError):
        checked_name(name)


def test_bytes_as_announced_go_through() -> None:
    assert b"".join(verified([b"MT", b"hd"], output(b"MThd"))) == b"MThd"


@pytest.mark.parametrize("chunks", [[b"MThX"], [b"MT"], [b"MThd", b"more"], []])
def test_other_bytes_do_not(chunks: list[bytes]) -> None:
    with pytest.raises(DamagedFileError):
        list(verified(chunks, output(b"MThd")))


def test_more_than_announced_is_not_read_on() -> None:
    read = 0

    def endless() -> Iterator[bytes]:
        nonlocal read
        while True:
            read += 1
            yield b"x" * 1000

    with pytest.raises(DamagedFileError):
        list(verified(endless(), output(b"x" * 5000)))
    assert read == 6


@pytest.mark.parametrize(("data", "same"), [(b"MThd", True), (b"MThX", False), (b"MThd more", False)])
def test_a_file_that_was_saved_before_is_known_by_its_bytes(
    tmp_path: Path, data: bytes, *, same: bool
) -> None:
    (tmp_path / "music.mid").write_bytes(data)
    assert is_there(tmp_path / "music.mid", output(b"MThd")) is same


def test_nothing_and_a_folder_are_no_file(tmp_path: Path) -> None:
    assert not is_there(tmp_path / "music.mid", output(b"MThd"))
    assert not is_there(tmp_path, output(b"MThd"))


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    write_whole([b"MT", b"hd"], tmp_path / "music.mid", overwrite=False)
    assert (tmp_path / "music.mid").read_bytes() == b"MThd"
    assert [path.name for path in tmp_path.iterdir()] == ["music.mid"]


def test_what_breaks_off_leaves_nothing_and_harms_nothing(tmp_path: Path) -> None:
    place = tmp_path / "music.mid"
    place.write_bytes(b"before")

    def broken() -> Iterator[bytes]:
        yield b"MT"
        raise DamagedFileError("gone")

    with pytest.raises(DamagedFileError):
        write_whole(broken(), place, overwrite=True)
    assert place.read_bytes() == b"before"
    assert [path.name for path in tmp_path.iterdir()] == ["music.mid"]


def test_nothing_is_overwritten_unasked_not_even_what_came_meanwhile(tmp_path: Path) -> None:
    place = tmp_path / "music.mid"

    def slow() -> Iterator[bytes]:
        yield b"ours"
        place.write_bytes(b"theirs")

    with pytest.raises(FileThereError):
        write_whole(slow(), place, overwrite=False)
    assert place.read_bytes() == b"theirs"
    write_whole([b"ours"], place, overwrite=True)
    assert place.read_bytes() == b"ours"


def test_a_file_system_without_hard_links_will_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    place = tmp_path / "music.mid"
    write_whole([b"MThd"], place, overwrite=False)
    assert place.read_bytes() == b"MThd"
    with pytest.raises(FileThereError):
        write_whole([b"other"], place, overwrite=False)
    assert place.read_bytes() == b"MThd"
