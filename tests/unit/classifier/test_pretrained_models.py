"""`timm:` and `clip:` with small random weights and no download: on libraries of the same shape, and on the real ones
where they are installed.
"""

# ruff: noqa: ARG001, ARG005 - fakes keep the signatures of the libraries they stand for

import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from scenescore_classifier import checkpoint
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models.architecture import ModelError, as_input
from scenescore_classifier.models.clip import TEMPLATES, WORDS, prompts
from scenescore_classifier.models.registry import architecture
from scenescore_classifier.training.choosing import learner_for
from scenescore_classifier.training.gradient import FINE_TUNING, GradientLearner
from scenescore_classifier.training.learner import Rows
from scenescore_classifier.training.zero_shot import ZeroShotLearner

EMOTIONS = ("happy", "sad")
SIDE = 16


def fake_timm() -> Any:
    """One model, `tiny`, whose initial weights come from torch's global generator, as timm's do."""
    library: Any = ModuleType("timm")

    def create_model(name: str, *, pretrained: bool, num_classes: int) -> nn.Module:
        if pretrained and library.offline:
            raise RuntimeError("no network")
        first = nn.Conv2d(3, 8, 4, stride=4)
        model = nn.Sequential(
            first,
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(128, num_classes),
        )
        if pretrained:
            nn.init.constant_(first.weight, 0.25)
        return model

    library.offline = False
    library.create_model = create_model
    library.is_model = lambda name: name.split(".")[0] == "tiny"
    library.get_pretrained_cfg = lambda name, allow_unregistered: SimpleNamespace(
        input_size=(3, SIDE, SIDE), mean=(0.5, 0.4, 0.3), std=(0.2, 0.2, 0.1)
    )
    return library


@pytest.fixture
def timm(monkeypatch: pytest.MonkeyPatch) -> Any:
    library = fake_timm()
    monkeypatch.setitem(sys.modules, "timm", library)
    return library


@pytest.mark.usefixtures("timm")
def test_a_timm_model_has_the_size_and_range_of_its_backbone() -> None:
    model = architecture("timm:tiny.a1")
    prepared = model.prepare(Image.new("RGB", (50, 30), (51, 102, 0)))
    assert tuple(prepared.shape) == model.prepared_shape == (3, SIDE, SIDE)
    seen: list[torch.Tensor] = []
    network: Any = model.network(EMOTIONS)
    network.backbone.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        logits = network(as_input(prepared[None]))
    assert logits.shape == (1, 2)
    assert seen[0][0, :, 0, 0].tolist() == pytest.approx(
        [(0.2 - 0.5) / 0.2, 0.0, (0.0 - 0.3) / 0.1], abs=1e-6
    )


@pytest.mark.usefixtures("timm")
def test_the_generator_decides_a_timm_head_and_torch_s_own_is_left_alone() -> None:
    model, before = architecture("timm:tiny"), torch.get_rng_state()
    first, again, other = (
        model.network(EMOTIONS, torch.Generator().manual_seed(seed)).state_dict()["backbone.4.weight"]
        for seed in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.usefixtures("timm")
def test_a_timm_model_is_fine_tuned_saved_and_served(tmp_path: Path) -> None:
    model = architecture("timm:tiny")
    labels = np.arange(24) % 2
    pictures = [Image.new("RGB", (20, 20), (200 * label, 40, 40)) for label in labels.tolist()]
    prepared = torch.stack([model.prepare(picture) for picture in pictures])
    rows = Rows(prepared, labels.astype(np.int64), [str(number) for number in range(24)], EMOTIONS)
    settings = replace(FINE_TUNING, epochs=12, learning_rate=3e-3)  # larger steps, for a smaller network
    predictor = GradientLearner(model, settings, pretrained=True).fit(rows, 0, title="test")
    assert predictor.logits(prepared).argmax(axis=1).tolist() == labels.tolist()
    assert predictor.chosen["epoch"] >= 1
    first_layer = predictor.network.state_dict()["backbone.0.weight"]
    assert float(first_layer.mean()) == pytest.approx(0.25, abs=0.05)  # where the pretrained one started
    checkpoint.save(tmp_path, model.name, predictor.network, {"emotions": EMOTIONS, "temperature": 1})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["timm-tiny.json", "timm-tiny.safetensors"]
    classifier = Classifier.load(tmp_path, emotions=EMOTIONS)
    mixes = classifier.mixes(list(prepared[:5]))
    assert mixes == [classifier.mixes([one])[0] for one in prepared[:5]]
    assert classifier.name.startswith("timm:tiny@")


def test_timm_s_troubles_are_sentences(timm: Any) -> None:
    with pytest.raises(ModelError, match="timm has no model 'unknown'"):
        architecture("timm:unknown")
    timm.offline = True
    with pytest.raises(ModelError, match="no network"):
        architecture("timm:tiny").network(EMOTIONS, pretrained=True)
    architecture("timm:tiny").network(EMOTIONS)  # serving its own weights needs no network


class FakeTowers(nn.Module):
    """Pictures become their mean colours; texts one of three directions by the emotion's word."""

    def __init__(self) -> None:
        super().__init__()
        self.logit_scale = nn.Parameter(torch.tensor(100.0).log())

    def encode_image(self, pictures: torch.Tensor) -> torch.Tensor:
        assert len(pictures) == 1  # one at a time, so that no neighbour can change it
        return pictures.mean(dim=(2, 3)) * 7

    def encode_text(self, texts: torch.Tensor) -> torch.Tensor:
        return torch.eye(3)[texts[:, 0]] * (1 + texts[:, 1:2])


def fake_open_clip() -> Any:
    """One model, `Tiny`, with weights `random`."""
    library: Any = ModuleType("open_clip")

    def create(name: str, *, pretrained: str | None, device: str) -> tuple[nn.Module, Any]:
        if pretrained != "random":
            raise RuntimeError(f"unknown weights {pretrained}")
        return FakeTowers(), lambda image: torch.from_numpy(
            np.array(image.resize((4, 4)), dtype=np.float32) / 255
        ).permute(2, 0, 1)

    def tokenise(texts: Sequence[str]) -> torch.Tensor:
        directions = [
            next(i for i, words in enumerate(WORDS.values()) if any(w in t for w in words)) for t in texts
        ]
        return torch.tensor([[direction, number] for number, direction in enumerate(directions)])

    library.create_model_from_pretrained = create
    library.get_tokenizer = lambda name: tokenise
    library.get_model_config = lambda name: {"embed_dim": 3}
    library.list_models = lambda: ["Tiny"]
    return library


@pytest.fixture
def open_clip(monkeypatch: pytest.MonkeyPatch) -> Any:
    library = fake_open_clip()
    monkeypatch.setitem(sys.modules, "open_clip", library)
    return library


def test_every_emotion_has_several_prompts() -> None:
    assert len(prompts("sad")) == len(TEMPLATES) * len(WORDS["sad"])
    assert prompts("bored") == [template.format("bored") for template in TEMPLATES]
    assert len({prompt for emotion in WORDS for prompt in prompts(emotion)}) == sum(
        map(len, map(prompts, WORDS))
    )


@pytest.mark.usefixtures("open_clip")
def test_clip_s_logits_are_scaled_cosines_to_the_prompts(tmp_path: Path) -> None:
    model = architecture("clip:Tiny/random")
    picture = Image.new("RGB", (40, 30), (255, 0, 255))
    prepared = model.prepare(picture)
    assert prepared.tolist() == pytest.approx([np.sqrt(0.5), 0, np.sqrt(0.5)], abs=1e-6)
    rows = Rows(prepared[None], np.array([0]), ["a"], ("happy", "angry", "sad"))
    learner = learner_for(model)
    assert isinstance(learner, ZeroShotLearner)
    predictor = learner.fit(rows, 0, title="test")
    assert predictor.logits(rows.prepared)[0].tolist() == pytest.approx([70.71, 0, 70.71], abs=0.01)
    card = {"emotions": rows.emotions, "temperature": 50}
    checkpoint.save(tmp_path, model.name, predictor.network, card)
    classifier = Classifier.load(tmp_path)
    (mix,) = classifier.mixes([prepared])
    assert mix["happy"] == pytest.approx(mix["sad"], abs=0.0011)
    assert mix["angry"] == pytest.approx(1 / (1 + 2 * np.exp(70.71 / 50)), abs=0.001)


@pytest.mark.usefixtures("open_clip")
def test_clip_s_troubles_are_sentences() -> None:
    with pytest.raises(ModelError, match="clip:ViT-B-32/laion2b_s34b_b79k"):
        architecture("clip:Unknown/random")
    with pytest.raises(ModelError, match="unknown weights elsewhere"):
        architecture("clip:Tiny/elsewhere").prepare(Image.new("RGB", (3, 3)))


def test_the_real_timm_makes_a_network_that_is_saved_and_served(tmp_path: Path) -> None:
    pytest.importorskip("timm", exc_type=ImportError)
    model = architecture("timm:test_resnet.r160_in1k")
    network = model.network(EMOTIONS, torch.Generator().manual_seed(0))
    checkpoint.save(tmp_path, model.name, network, {"emotions": EMOTIONS, "temperature": 1})
    prepared = [model.prepare(Image.new("RGB", (50, 40), colour)) for colour in ("red", "blue", "white")]
    classifier = Classifier.load(tmp_path, emotions=EMOTIONS)
    assert classifier.mixes(prepared) == [classifier.mixes([one])[0] for one in prepared]


def test_the_real_open_clip_embeds_pictures_and_prompts(monkeypatch: pytest.MonkeyPatch) -> None:
    library = pytest.importorskip("open_clip", exc_type=ImportError)
    torch.manual_seed(0)

    def random_weights(name: str, *, pretrained: str | None, device: str) -> Any:
        model, _, preprocess = library.create_model_and_transforms(name, pretrained=None, device=device)
        return model, preprocess

    monkeypatch.setattr(library, "create_model_from_pretrained", random_weights)
    model = architecture("clip:RN50/openai")
    prepared = model.prepare(Image.new("RGB", (50, 40), "red"))
    assert tuple(prepared.shape) == model.prepared_shape
    assert float(prepared.norm()) == pytest.approx(1, abs=1e-5)
    head: Any = model.network(EMOTIONS, pretrained=True)
    assert head.weight.norm(dim=1).tolist() == pytest.approx([1 / 0.07] * 2, rel=1e-3)
