"""`mobilenet`: embeddings from a LiteRT interpreter, one for each thread, and a head on them.

Most run on a fake interpreter of the same shape; the last ones on the real library and the real backbones, where
the library is installed and SCENESCORE_TEST_BACKBONES names a folder with both files.
"""

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from threading import Barrier, get_ident
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from PIL import Image

from scenescore_classifier import checkpoint
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models import backbone_files, mobilenet
from scenescore_classifier.models.architecture import ModelError
from scenescore_classifier.models.backbone_files import V1, V2, BackboneFile, pull
from scenescore_classifier.models.head import LinearHead
from scenescore_classifier.models.mobilenet import Backbone, MobileNets, views
from scenescore_shared.emotions import DEFAULT_EMOTIONS

SCALE = 0.5


class FakeInterpreter:
    """Gives each channel the mean brightness, in its own quantisation; the map is the later of two tensors.

    One that names things is sure of the last one where a picture is white, and of none elsewhere.
    """

    def __init__(self, channels: int, zero: int = 0, *, naming: bool = False) -> None:
        self.channels, self.zero, self.naming = channels, zero, naming
        self.threads: set[int] = set()
        self.pictures: list[NDArray[np.uint8]] = []
        self.allocated = False

    def allocate_tensors(self) -> None:
        self.allocated = True

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 3}]

    def get_output_details(self) -> list[dict[str, Any]]:
        shape = [1, 1001] if self.naming else [1, 1, 1, self.channels]
        return [{"index": 90, "shape": np.array(shape), "quantization": (1 / 256, 0)}]

    def get_tensor_details(self) -> list[dict[str, Any]]:
        shape = np.array([1, 7, 7, self.channels])
        return [
            {"index": 3, "shape": np.array([1, 224, 224, 3]), "quantization": (1.0, 0)},
            {"index": 81, "shape": shape, "quantization": (SCALE, self.zero)},
            {"index": 79, "shape": shape, "quantization": (100.0, 0)},
        ]

    def set_tensor(self, index: int, value: NDArray[np.uint8]) -> None:
        assert (index, value.shape) == (3, (1, 224, 224, 3))
        assert value.dtype == np.uint8
        self.pictures.append(value[0].copy())

    def invoke(self) -> None:
        assert self.allocated
        self.threads.add(get_ident())

    def get_tensor(self, index: int) -> NDArray[Any]:
        if self.naming and index == 90:
            named = np.zeros((1, 1001), dtype=np.uint8)
            named[0, -1] = 255 * (self.pictures[-1].min() == 255)
            return named
        assert index == 81
        level = int(self.pictures[-1].mean()) // 4
        places = np.arange(49).reshape(7, 7, 1) % 2  # places differ; their mean is 24 / 49
        values = level + places + np.zeros(self.channels, dtype=np.int64) + self.zero
        return values[None].astype(np.int8 if self.zero else np.uint8)


class Opened:
    """Opens fake interpreters, and remembers which file each was of."""

    def __init__(self) -> None:
        self.interpreters: list[tuple[str, FakeInterpreter]] = []

    def __call__(self, path: Path) -> FakeInterpreter:
        naming = path.name == V2.name
        fake = FakeInterpreter(V2.channels if naming else V1.channels, naming=naming)
        self.interpreters.append((path.name, fake))
        return fake


@pytest.fixture
def pulled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of models with two files that pass for the pinned ones."""
    models = tmp_path / "models"
    (models / "mobilenet").mkdir(parents=True)
    small = []
    for file in (V1, V2):
        data = file.name.encode()
        (models / "mobilenet" / file.name).write_bytes(data)
        small.append(pinned(file, data))
    monkeypatch.setattr(backbone_files, "BACKBONES", tuple(small))
    monkeypatch.setattr(mobilenet, "BACKBONES", tuple(small))
    return models


def pinned(file: BackboneFile, data: bytes) -> BackboneFile:
    return replace(file, sha256=hashlib.sha256(data).hexdigest(), size=len(data))


@pytest.mark.parametrize("zero", [0, -128])
def test_an_embedding_is_the_mean_over_the_places_in_the_map_s_own_unit(zero: int) -> None:
    backbone = Backbone(FakeInterpreter(5, zero), 5)
    embedding = backbone.embed(np.full((224, 224, 3), 40, dtype=np.uint8))
    np.testing.assert_allclose(embedding, np.full(5, (10 + 24 / 49) * SCALE), rtol=1e-6)
    assert embedding.dtype == np.float32


def test_a_file_without_the_feature_map_is_refused() -> None:
    with pytest.raises(ModelError, match="7x7x1280"):
        Backbone(FakeInterpreter(5), V2.channels)


def test_both_backbones_look_at_the_whole_scene_and_at_its_middle(pulled: Path) -> None:
    opened = Opened()
    model = MobileNets(pulled, opened)
    image = Image.new("RGB", (400, 200), "white")
    image.paste("black", (0, 0, 80, 200))  # outside the middle square
    embedding = model.prepare(image)
    assert tuple(embedding.shape) == model.prepared_shape == (3305,)
    assert [name for name, _ in opened.interpreters] == [V1.name, V2.name]
    for _, interpreter in opened.interpreters:
        assert [int(picture.mean()) for picture in interpreter.pictures] == [204, 255]
    expected = (204 // 4 + 255 // 4) / 2 + 24 / 49
    np.testing.assert_allclose(embedding[:2304].numpy(), expected * SCALE, rtol=1e-6)
    np.testing.assert_allclose(embedding[2304:-1].numpy(), np.log(0.01), rtol=1e-6)
    np.testing.assert_allclose(embedding[-1].numpy(), np.log(255 / 256 / 2 + 0.01), rtol=1e-6)


def test_a_backbone_that_names_nothing_gives_no_names() -> None:
    backbone = Backbone(FakeInterpreter(5), 5)
    backbone.embed(np.zeros((224, 224, 3), dtype=np.uint8))
    assert backbone.named().shape == (0,)


def test_every_thread_has_interpreters_of_its_own(pulled: Path) -> None:
    opened, together = Opened(), Barrier(3)
    model = MobileNets(pulled, opened)

    def prepare(shade: int) -> torch.Tensor:
        together.wait(timeout=10)
        model.prepare(Image.new("RGB", (9, 9), (shade,) * 3))
        return model.prepare(Image.new("RGB", (9, 9), (shade,) * 3))

    with ThreadPoolExecutor(3) as pool:
        first, second, third = pool.map(prepare, (0, 100, 200))
    assert float(first[0]) < float(second[0]) < float(third[0])
    assert len(opened.interpreters) == 3 * 2  # opened once for each thread and backbone
    assert all(len(interpreter.threads) == 1 for _, interpreter in opened.interpreters)


def test_backbones_that_were_not_pulled_are_asked_for_by_the_command(tmp_path: Path) -> None:
    for models_dir in (None, tmp_path):
        with pytest.raises(ModelError, match="scenescore models pull mobilenet"):
            MobileNets(models_dir, Opened()).prepare(Image.new("RGB", (9, 9)))


def test_a_backbone_that_was_changed_is_not_used(pulled: Path) -> None:
    (pulled / "mobilenet" / V2.name).write_bytes(b"x")
    with pytest.raises(ModelError, match="scenescore models pull mobilenet"):
        MobileNets(pulled, Opened()).prepare(Image.new("RGB", (9, 9)))


def test_it_serves_a_picture_alike_alone_and_in_a_batch(
    pulled: Path, tmp_path: Path, paint: Callable[..., bytes]
) -> None:
    head = LinearHead(3305, 3)
    generator = torch.Generator().manual_seed(0)
    head.weight.copy_(torch.randn(3, 3305, generator=generator) / 1000)
    card = {"emotions": ["happy", "angry", "sad"], "temperature": 1}
    checkpoint.save(tmp_path / "head", "mobilenet", head, card)
    model, trained = MobileNets(pulled, Opened()), checkpoint.load(tmp_path / "head")
    classifier = Classifier(model, trained, emotions=DEFAULT_EMOTIONS)
    pictures = [paint(seed) for seed in range(5)]
    together = classifier.classify(pictures)
    assert together == [classifier.classify([picture])[0] for picture in pictures]
    assert len({str(mix) for mix in together}) > 1
    assert classifier.name.startswith("mobilenet@")


def test_views_are_squeezed_and_cut() -> None:
    image = Image.new("RGB", (90, 30), "red")
    image.paste("blue", (30, 0, 60, 30))
    whole, middle = views(image)
    assert whole.shape == middle.shape == (224, 224, 3)
    assert whole[112, 10].tolist() == [255, 0, 0]
    assert middle[112, 10].tolist() == [0, 0, 255]


@pytest.fixture
def real_backbones(tmp_path: Path) -> Path:
    pytest.importorskip("ai_edge_litert.interpreter")
    folder = os.environ.get("SCENESCORE_TEST_BACKBONES")
    if not folder:
        pytest.skip("SCENESCORE_TEST_BACKBONES names no folder with the backbones")
    pull(tmp_path, source=Path(folder))
    return tmp_path


def test_the_real_backbones_see_what_is_there(real_backbones: Path) -> None:
    model = MobileNets(real_backbones)
    sky = Image.linear_gradient("L").resize((300, 200)).convert("RGB")
    tiles = Image.fromarray(np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8))
    first, again, other = (model.prepare(image) for image in (sky, sky, tiles))
    assert torch.equal(first, again)
    assert float(first[:2304].min()) >= 0
    assert float(first[:2304].max()) <= 6
    named = first[2304:].exp() - 0.01
    assert 0.3 < float(named.sum()) < 1.1  # in 8 bits: what is less likely than one in 512 is none
    assert float(torch.corrcoef(torch.stack([first, other]))[0, 1]) < 0.95
    for part in (first[:1024], first[1024:2304], first[2304:]):
        assert float(part.std()) > 0.01


def test_the_shipped_head_on_the_real_backbones(real_backbones: Path, paint: Callable[..., bytes]) -> None:
    classifier = Classifier.load(name="mobilenet", models_dir=real_backbones)
    pictures = [paint(seed) for seed in range(3)]
    assert classifier.classify(pictures) == [classifier.classify([picture])[0] for picture in pictures]
