"""Names → models: those of the registry, and clear words for every other name."""

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from PIL import Image

from scenescore_classifier.models import registry
from scenescore_classifier.models.architecture import Architecture, ModelError, Training, as_input, file_stem
from scenescore_classifier.models.registry import architecture, availability
from scenescore_classifier.models.scene import DESCRIPTOR, SceneCNN
from scenescore_classifier.models.scene_backbone import BACKBONE_FILE, backbone_path
from scenescore_classifier.training.choosing import learner_for
from scenescore_classifier.training.gradient import FINE_TUNING, GradientLearner, Settings
from scenescore_classifier.training.logistic import LogisticLearner
from scenescore_classifier.training.zero_shot import ZeroShotLearner

EMOTIONS = ("happy", "angry", "sad")


@pytest.mark.parametrize("name", ["thesis", "thesis-relu"])
def test_a_picture_becomes_logits(name: str) -> None:
    model = architecture(name)
    assert isinstance(model, Architecture)
    assert (model.name, model.training) == (name, Training.SCRATCH)
    prepared = model.prepare(Image.new("RGB", (30, 20), "red"))
    assert tuple(prepared.shape) == model.prepared_shape
    logits = model.network(EMOTIONS)(as_input(prepared[None]))
    assert logits.shape == (1, 3)
    assert bool(torch.isfinite(logits).all())


def test_the_two_readings_of_the_thesis_differ_in_nothing_but_what_is_within() -> None:
    printed, described = (architecture(name).network(EMOTIONS) for name in ("thesis", "thesis-relu"))
    pictures = torch.rand(2, 3, 150, 150)
    assert [v.shape for v in printed.state_dict().values()] == [
        v.shape for v in described.state_dict().values()
    ]
    assert not torch.equal(printed(pictures), described(pictures))


@pytest.mark.parametrize("name", ["", "Thesis", "resnet18", "timm", "clip"])
def test_an_unknown_name_is_told_those_there_are(name: str) -> None:
    with pytest.raises(
        ModelError, match="thesis, thesis-relu, colours, scene, mobilenet, timm:NAME, clip:NAME/WEIGHTS"
    ):
        architecture(name)


@pytest.mark.parametrize(
    ("name", "library", "extra"),
    [("timm:resnet18", "timm", "timm"), ("clip:ViT-B-32/x", "open_clip", "clip")],
)
def test_a_missing_library_is_told_by_its_extra(
    name: str, library: str, extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ModelError, match=rf"pip install 'scenescore-classifier\[{extra}\]'"):
        architecture(name)


def test_what_is_missing_comes_with_the_command_that_brings_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"open_clip"}
    monkeypatch.setattr(registry, "find_spec", lambda name: ModuleType(name) if name in installed else None)
    missing = {item.name: item.missing for item in availability(tmp_path)}
    assert missing == {
        "scene": (),
        "thesis": (),
        "thesis-relu": (),
        "colours": (),
        "mobilenet": (
            "pip install 'scenescore-classifier[mobilenet]'",
            "scenescore models pull mobilenet",
        ),
        "timm:NAME": ("pip install 'scenescore-classifier[timm]'",),
        "clip:NAME/WEIGHTS": (),
    }


def test_a_backbone_of_one_s_own_goes_before_a_shipped_one(tmp_path: Path) -> None:
    shipped, own = tmp_path / "weights", tmp_path / "models" / "scene"
    assert backbone_path(tmp_path / "models", shipped) is None
    for folder in (shipped, own):
        folder.mkdir(parents=True)
        (folder / BACKBONE_FILE).write_bytes(b"")
    assert backbone_path(None, shipped) == shipped / BACKBONE_FILE
    assert backbone_path(tmp_path / "elsewhere", shipped) == shipped / BACKBONE_FILE
    assert backbone_path(tmp_path / "models", shipped) == own / BACKBONE_FILE


def test_colours_say_how_much_of_which_and_where() -> None:
    model = architecture("colours")
    half = Image.new("RGB", (60, 40), "black")
    half.paste("white", (30, 0, 60, 40))
    black, mixed = model.prepare(Image.new("RGB", (9, 9))), model.prepare(half)
    assert tuple(mixed.shape) == model.prepared_shape
    shares = mixed[:64]
    assert shares.sum().item() == pytest.approx(1)
    assert shares[0].item() == shares[-1].item() == pytest.approx(0.5)
    assert black[0].item() == 1
    left, right = mixed[64:67], mixed[64 + 6 : 64 + 9]
    assert left.tolist() == [0, 0, 0]
    assert right.tolist() == pytest.approx([1, 1, 1], abs=0.01)
    assert model.network(EMOTIONS)(mixed[None]).shape == (1, 3)


def test_names_become_file_names() -> None:
    assert file_stem("timm:hf-hub:me/x.a1") == "timm-hf-hub-me-x.a1"
    assert file_stem("thesis-relu") == "thesis-relu"


class Named:
    """An architecture of which only the way of training matters."""

    name = "named"
    prepared_shape = (2,)

    def __init__(self, training: Training) -> None:
        self.training = training

    def prepare(self, image: Image.Image) -> torch.Tensor:
        return torch.zeros(2)

    def network(
        self, emotions: object, generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> torch.nn.Module:
        return torch.nn.Linear(2, 2)


def test_every_way_of_training_has_its_learner() -> None:
    scratch, tuned = (
        learner_for(Named(Training.SCRATCH)),
        learner_for(Named(Training.FINE_TUNED), device="cpu"),
    )
    assert isinstance(scratch, GradientLearner)
    assert (scratch.settings, scratch.pretrained) == (Settings(), False)
    assert isinstance(tuned, GradientLearner)
    assert (tuned.settings, tuned.pretrained) == (FINE_TUNING, True)
    assert isinstance(learner_for(Named(Training.HEAD)), LogisticLearner)
    assert isinstance(learner_for(Named(Training.ZERO_SHOT)), ZeroShotLearner)


def test_what_is_asked_for_goes_before_the_learner_s_own() -> None:
    asked = learner_for(Named(Training.FINE_TUNED), epochs=3, patience=2)
    never = learner_for(Named(Training.FINE_TUNED), patience=0)
    assert isinstance(asked, GradientLearner)
    assert isinstance(never, GradientLearner)
    assert (asked.settings.epochs, asked.settings.patience) == (3, 2)
    assert never.settings.patience is None


@pytest.mark.parametrize(("device", "precision"), [("cpu", torch.float32), ("meta", torch.float64)])
def test_the_backbone_of_scene_computes_where_it_was_asked_to(
    device: str, precision: torch.dtype, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[str, torch.dtype]] = []

    def describe(network: SceneCNN, pictures: torch.Tensor) -> torch.Tensor:
        seen.extend((each.device.type, each.dtype) for each in (pictures, *network.parameters()))
        return torch.ones(4, DESCRIPTOR, dtype=torch.float64)

    monkeypatch.setattr(SceneCNN, "describe", describe)
    descriptor = architecture("scene", device=device).prepare(Image.new("RGB", (30, 20), "red"))
    assert set(seen) == {(device, precision)}
    assert (descriptor.device.type, descriptor.dtype) == ("cpu", torch.float32)
