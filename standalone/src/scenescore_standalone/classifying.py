"""`scenescore classify`: how pictures feel. The model is loaded once for all of them."""

import argparse
import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from scenescore_api.pictures import PictureLimits, PictureReader
from scenescore_classifier.decoding import PictureDecoder
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models.backbone_files import MODELS_FOLDER
from scenescore_shared.emotions import Mix
from scenescore_shared.errors import InvalidPictureError
from scenescore_standalone.settings import StandaloneSettings


def run(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    """Prints a line a picture; 1 when one of them could not be classified."""
    failed = False
    for file, result in _classified(settings, options.images):
        if isinstance(result, str):
            failed = True
            line = json.dumps({"file": str(file), "error": result}) if options.json else None
            sys.stderr.write(f"scenescore: {file}: {result}\n")
        elif options.json:
            line = json.dumps({"file": str(file), "emotions": result})
        else:
            line = f"{file}: " + "  ".join(f"{emotion} {share:.3f}" for emotion, share in result.items())
        if line is not None:
            sys.stdout.write(line + "\n")
            # whoever reads a pipe gets each picture as soon as it is known
            sys.stdout.flush()
    return 1 if failed else 0


def _classified(settings: StandaloneSettings, files: Sequence[Path]) -> Iterator[tuple[Path, Mix | str]]:
    classifier = Classifier.load(
        settings.classifier.weights_dir,
        emotions=settings.emotions,
        device=settings.classifier.device,
        name=settings.classifier.model,
        models_dir=settings.data_dir / MODELS_FOLDER,
        decode=PictureDecoder(
            threads=settings.classifier.decode_threads, pixels_at_once=settings.classifier.decode_pixels
        ),
    )
    # through the API's reader, so that a picture feels the same here and there
    limits = PictureLimits(max_bytes=settings.api.max_upload_bytes, max_pixels=settings.api.max_pixels)
    reader = PictureReader(limits, pixels_at_once=limits.max_pixels)
    for batch in _in_batches(files, settings.classifier.batch_size):
        read = [_read(reader, file) for file in batch]
        mixes = iter(classifier.classify([jpeg for jpeg in read if isinstance(jpeg, bytes)]))
        for file, picture in zip(batch, read, strict=True):
            result = next(mixes) if isinstance(picture, bytes) else picture
            yield file, result.message if isinstance(result, InvalidPictureError) else result


def _read(reader: PictureReader, file: Path) -> bytes | str:
    try:
        return reader.read(file.read_bytes()).jpeg
    except InvalidPictureError as error:
        return error.message
    except OSError as error:
        return error.strerror or str(error)


def _in_batches(files: Sequence[Path], size: int) -> Iterable[Sequence[Path]]:
    return (files[start : start + size] for start in range(0, len(files), size))
