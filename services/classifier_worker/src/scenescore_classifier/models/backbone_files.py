"""The two backbones of `mobilenet`: pulled by the user, and never read unless they are the pinned files.

They come from google-coral/test_data, under Apache-2.0. What is pinned is their content, by sha256: should the
address give anything else one day, it is refused.
"""

import hashlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import BinaryIO
from urllib.request import urlopen

from tqdm import tqdm

from scenescore_classifier.models.architecture import ModelError

ADDRESS = "https://github.com/google-coral/test_data/raw/master"
MODELS_FOLDER = "models"
"""Of the data directory: where pulled models lie."""

FOLDER = "mobilenet"
PULL = "scenescore models pull mobilenet"

CHUNK = 2**16
TIMEOUT = 30.0
"""Seconds without a byte after which a download is given up."""


@dataclass(frozen=True)
class BackboneFile:
    """A file, and what makes sure that it is that one."""

    name: str
    sha256: str
    size: int
    """Bytes."""
    channels: int
    """Of its last feature map, 7x7 places."""


V1 = BackboneFile(
    "mobilenet_v1_1.0_224_quant_embedding_extractor.tflite",
    "f409ef4f73fcbb9667841965623c5c8524aac33d41b9bf5f3667161fb4a76319",
    3_251_736,
    1024,
)
V2 = BackboneFile(
    "tf2_mobilenet_v2_1.0_224_ptq.tflite",
    "5d3137241276e79c86d14a74fe43581398ae0e815191d3dba45495b810840e8c",
    4_070_174,
    1280,
)
BACKBONES = (V1, V2)


def missing(models_dir: Path) -> list[BackboneFile]:
    """Those that are not in `models_dir`, whole and unchanged."""
    return [file for file in BACKBONES if not _is(file, models_dir / FOLDER / file.name)]


def pull(models_dir: Path, *, source: Path | None = None, address: str = ADDRESS) -> list[Path]:
    """Put the backbones into `models_dir`, from the folder `source` or else from `address`; returns their paths.

    What is there already is left alone. A file appears under its name only when its sha256 is the pinned one.

    Raises ModelError when one can't be had, or is another file.
    """
    folder = models_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    for file in missing(models_dir):
        try:
            with _opened(file, source, address) as stream:
                _keep(file, stream, folder)
        except (OSError, HTTPException) as error:
            place = source or address
            raise ModelError(
                f"{file.name} can't be fetched from {place} ({error}): try again, or download it elsewhere and "
                f"give its folder: {PULL} --from FOLDER"
            ) from error
    return [folder / file.name for file in BACKBONES]


def _opened(file: BackboneFile, source: Path | None, address: str) -> BinaryIO:
    if source is not None:
        return (source / file.name).open("rb")
    stream: BinaryIO = urlopen(f"{address}/{file.name}", timeout=TIMEOUT)  # noqa: S310 - our own address
    return stream


def _keep(file: BackboneFile, stream: BinaryIO, folder: Path) -> None:
    """Write `stream` to a temporary file, and rename it when it is what it should be."""
    digest = hashlib.sha256()
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{file.name}.", delete=False) as temporary:
        path = Path(temporary.name)
        try:
            for chunk in _chunks(stream, file):
                digest.update(chunk)
                temporary.write(chunk)
            temporary.flush()
            _check(file, digest.hexdigest())
            path.chmod(0o644)
            path.replace(folder / file.name)
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def _check(file: BackboneFile, sha256: str) -> None:
    if sha256 != file.sha256:
        raise ModelError(
            f"{file.name} is not the file that Scenescore knows (its sha256 is {sha256}, not {file.sha256}): "
            f"nothing was kept. Take it from {ADDRESS}."
        )


def _chunks(stream: BinaryIO, file: BackboneFile) -> Iterator[bytes]:
    """The stream's bytes, and no more of them than one above the file's size: enough to know it for another."""
    left = file.size + 1
    with tqdm(total=file.size, desc=file.name, unit="B", unit_scale=True, disable=None) as bar:
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            left -= len(chunk)
            bar.update(len(chunk))
            yield chunk


def _is(file: BackboneFile, path: Path) -> bool:
    try:
        data = path.read_bytes() if path.stat().st_size == file.size else b""
    except OSError:
        return False
    return hashlib.sha256(data).hexdigest() == file.sha256
