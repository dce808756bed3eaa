"""Pictures a second through the classifier, beside its parts: the bare decoding and the bare forward pass.

python benchmarks/classify.py [--weights DIR] [--threads 2]

End to end is what the worker does with a batch: JPEG files in, rounded probabilities out. The decoding and the forward
pass, from unpacked pictures on, are measured in turn with it, each with all of the threads to itself. Since both need
the same cores, they allow 1 / (1 / forward + 1 / decode) pictures a second together; the share says how much of that is
reached. The pictures are scikit-learn's two photographs, cropped a little differently each time; those of 12 megapixels
are enlarged, once as they are (smooth) and once with a sensor's grain on them.
"""

import argparse
import io
import resource
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from machine import machine
from PIL import Image
from sklearn.datasets import load_sample_images

from scenescore_classifier.decoding import PictureDecoder
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models.registry import architecture
from scenescore_classifier.preprocessing import decode, to_pixels

BATCHES = (1, 8, 32)
ROUNDS = 5
SMALL, LARGE = (500, 400), (4000, 3000)
GRAIN = 6.0
"""Standard deviation of the noise of a sensor, in 255ths: a JPEG of 12 megapixels so has some 3 MB, as cameras' do."""
LARGE_PICTURES = 4
"""Different ones of 12 megapixels; a batch repeats them."""
UNITS_OF_RSS = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True)
class Parts:
    """What is measured of a batch of files; each part does all of the batch once."""

    end_to_end: Callable[[], object]
    forward: Callable[[], object]
    decode: Callable[[], object]


def parts_of(classifier: Classifier, decoder: PictureDecoder, files: Sequence[bytes]) -> Parts:
    images = [item for item in decoder(files) if isinstance(item, Image.Image)]
    model = architecture(classifier.name.split("@")[0])
    return Parts(
        end_to_end=lambda: classifier.classify(files),
        forward=lambda: classifier.mixes([model.prepare(image) for image in images]),
        decode=lambda: list(decoder(files)),
    )


def in_turn(parts: Parts, size: int) -> tuple[float, float, float]:
    """Pictures a second end to end, of the forward pass and of the decoding: the median of rounds in turn."""
    every = (parts.end_to_end, parts.forward, parts.decode)
    times = max(1, 8 // size)
    seconds: list[list[float]] = [[], [], []]
    for number in range(ROUNDS + 1):
        for part, took in zip(every, seconds, strict=True):
            before = time.perf_counter()
            for _ in range(times):
                part()
            if number:  # the first round is the warm-up
                took.append((time.perf_counter() - before) / times)
    end_to_end, forward, decoding = (size / statistics.median(took) for took in seconds)
    return end_to_end, forward, decoding


def pictures(size: tuple[int, int], count: int, *, grain: float = 0.0) -> list[bytes]:
    """That many different JPEG files (quality 90) of `size`."""
    originals = [Image.fromarray(pixels) for pixels in load_sample_images().images]
    generator = np.random.default_rng(0)
    files = []
    for number in range(count):
        original = originals[number % len(originals)]
        image = original.resize(
            size, Image.Resampling.BICUBIC, box=(number, 0, original.width, original.height)
        )
        if grain:
            noise = generator.normal(0, grain, (size[1], size[0], 3)).astype(np.float32)
            image = Image.fromarray((np.asarray(image) + noise).clip(0, 255).astype(np.uint8))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=90)
        files.append(file.getvalue())
    return files


def decoding_times(file: bytes) -> tuple[float, float]:
    """Milliseconds, on one thread, from a JPEG to the network's input: as the product does it, and in full."""

    def in_full() -> None:
        with Image.open(io.BytesIO(file)) as image:
            to_pixels(image.convert("RGB"))

    def reduced() -> None:
        to_pixels(decode(file))

    took: dict[str, list[float]] = {}
    for _ in range(2 * ROUNDS):
        for ways in (in_full, reduced):
            before = time.perf_counter()
            ways()
            took.setdefault(ways.__name__, []).append(1000 * (time.perf_counter() - before))
    return statistics.median(took["reduced"]), statistics.median(took["in_full"])


def report(device: str, options: argparse.Namespace, files: dict[str, list[bytes]]) -> None:
    decoder = PictureDecoder(threads=options.threads)
    classifier = Classifier.load(options.weights, device=device, decode=decoder)
    classifier.warm_up()
    print(f"\n{classifier.name} on {device}, {options.threads} threads; pictures a second")
    print(
        f"{'pictures':24} {'batch':>5} {'end to end':>10} {'forward':>8} {'decode':>8} {'allowed':>8} {'share':>6}"
    )
    for name, some in files.items():
        for size in BATCHES:
            batch = [some[n % len(some)] for n in range(size)]
            whole, forward, decoding = in_turn(parts_of(classifier, decoder, batch), size)
            allowed = 1 / (1 / forward + 1 / decoding)
            print(
                f"{name:24} {size:5} {whole:10.1f} {forward:8.1f} {decoding:8.1f} "
                f"{allowed:8.1f} {whole / allowed:6.2f}",
                flush=True,
            )
    decoder.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="a folder of weights; those shipped by default")
    parser.add_argument("--threads", type=int, default=2, help="of decoding and forward pass (default 2)")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    # drawn by another process: drawing takes more memory than anything that is measured here
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as drawing:
        files = {
            "500x400": drawing.submit(pictures, SMALL, max(BATCHES)).result(),
            "12 megapixels": drawing.submit(pictures, LARGE, LARGE_PICTURES).result(),
            "12 megapixels, grain": drawing.submit(pictures, LARGE, LARGE_PICTURES, grain=GRAIN).result(),
        }
    for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
        report(device, options, files)
    print("\nfrom a JPEG to the network's input on one thread")
    for name, some in files.items():
        reduced, in_full = decoding_times(some[0])
        print(
            f"{name:24} {len(some[0]) / 1e6:5.2f} MB {reduced:7.1f} ms, in full {in_full:7.1f} ms: "
            f"{in_full / reduced:.1f} times faster"
        )
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * UNITS_OF_RSS / 1e6
    print(
        f"\npeak memory of this process: {peak:.0f} MB (torch, the model, these pictures and the batches of 32)"
    )
    print(machine())


if __name__ == "__main__":
    main()
