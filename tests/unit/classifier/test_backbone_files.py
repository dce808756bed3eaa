"""Pulling backbones: from a folder or a server, whole and pinned, or not at all."""

import hashlib
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

import pytest

from scenescore_classifier.models import backbone_files
from scenescore_classifier.models.architecture import ModelError
from scenescore_classifier.models.backbone_files import ADDRESS, BACKBONES, missing, pull

CONTENT = {file.name: file.name.encode() * 5000 for file in BACKBONES}


@pytest.fixture(autouse=True)
def _pinned_to_small_files(monkeypatch: pytest.MonkeyPatch) -> None:
    small = tuple(
        replace(file, sha256=hashlib.sha256(CONTENT[file.name]).hexdigest(), size=len(CONTENT[file.name]))
        for file in BACKBONES
    )
    monkeypatch.setattr(backbone_files, "BACKBONES", small)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    for name, data in CONTENT.items():
        (folder / name).write_bytes(data)
    return folder


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    asked: list[str]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        self.asked.append(self.path)


@pytest.fixture
def server(source: Path) -> Iterator[tuple[str, list[str]]]:
    """The address of a server of `source`, and what it was asked for."""
    asked: list[str] = []
    handler = type("Handler", (Quiet,), {"asked": asked})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=str(source))) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}", asked
        running.shutdown()
        thread.join()


def kept_in(models_dir: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (models_dir / "mobilenet").iterdir()}


def test_the_pins_are_of_the_published_files() -> None:
    assert ADDRESS.startswith("https://github.com/google-coral/test_data/")
    assert [(file.name, file.size, len(file.sha256)) for file in BACKBONES] == [
        ("mobilenet_v1_1.0_224_quant_embedding_extractor.tflite", 3251736, 64),
        ("tf2_mobilenet_v2_1.0_224_ptq.tflite", 4070174, 64),
    ]


def test_from_a_folder(source: Path, tmp_path: Path) -> None:
    paths = pull(tmp_path / "models", source=source)
    assert paths == [tmp_path / "models" / "mobilenet" / name for name in CONTENT]
    assert kept_in(tmp_path / "models") == CONTENT
    assert missing(tmp_path / "models") == []


def test_from_a_server_once(server: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = server
    pull(tmp_path, address=address)
    assert kept_in(tmp_path) == CONTENT
    pull(tmp_path, address=address)
    assert asked == [f"/{name}" for name in CONTENT]


def test_what_was_damaged_since_is_fetched_again(source: Path, tmp_path: Path) -> None:
    damaged, _ = pull(tmp_path, source=source)
    damaged.write_bytes(CONTENT[damaged.name][:-1] + b"?")
    assert [file.name for file in missing(tmp_path)] == [damaged.name]
    pull(tmp_path, source=source)
    assert kept_in(tmp_path) == CONTENT


@pytest.mark.parametrize("wrong", [b"", b"<html>not found</html>", next(iter(CONTENT.values())) + b"more"])
def test_another_file_is_refused_and_nothing_of_it_is_kept(
    source: Path, tmp_path: Path, wrong: bytes
) -> None:
    first = next(iter(CONTENT))
    (source / first).write_bytes(wrong)
    with pytest.raises(ModelError, match=f"{first} is not the file that Scenescore knows"):
        pull(tmp_path / "models", source=source)
    assert kept_in(tmp_path / "models") == {}


def test_no_more_is_read_than_the_file_should_have(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless:
        read_bytes = 0

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_: object) -> None:
            """Nothing to close."""

        def read(self, size: int) -> bytes:
            self.read_bytes += size
            return b"x" * size

    stream = Endless()
    monkeypatch.setattr(backbone_files, "urlopen", lambda *_, **__: stream)
    with pytest.raises(ModelError, match="is not the file"):
        pull(tmp_path)
    assert stream.read_bytes == len(next(iter(CONTENT.values()))) + 1


def test_an_address_that_does_not_answer_is_a_sentence(tmp_path: Path, server: tuple[str, list[str]]) -> None:
    address, _ = server
    with pytest.raises(ModelError, match=r"can't be fetched .*404.* --from FOLDER"):
        pull(tmp_path, address=f"{address}/elsewhere")
    with pytest.raises(ModelError, match="can't be fetched"):
        pull(tmp_path, source=tmp_path / "nowhere")
    assert kept_in(tmp_path) == {}
