"""Block-wise distillation on a few small pictures and a teacher that is a fixed rule."""

import hashlib
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors import safe_open

from scenescore_classifier.checkpoint import CheckpointError
from scenescore_classifier.distillation import __main__ as command
from scenescore_classifier.distillation import training
from scenescore_classifier.distillation import views as making
from scenescore_classifier.distillation.teacher import WEIGHTS_FILE, Lesson, Teacher, TeacherError
from scenescore_classifier.distillation.training import INNER, Distillation, Settings
from scenescore_classifier.distillation.views import (
    MIXED_IN,
    SMALLEST_AREA,
    Shows,
    Views,
    ViewsError,
    make_views,
    photographs,
    random_box,
    random_mixture,
)
from scenescore_classifier.models import registry, scene_backbone
from scenescore_classifier.models.architecture import ModelError
from scenescore_classifier.models.imagenet import CLASSES, UNLIKELY
from scenescore_classifier.models.registry import architecture, availability
from scenescore_classifier.models.scene import DESCRIPTOR, EMBEDDING, MAPS, SIDE, SceneCNN
from scenescore_classifier.models.scene_backbone import backbone_path, load_backbone, save_backbone, views
from scenescore_classifier.preprocessing import decode


@dataclass(frozen=True)
class SmallSettings(Settings):
    """So that a dozen photographs are an epoch of some steps."""

    batch: int = 4
    warm_up: int = 1


SETTINGS = SmallSettings(epochs=2)


class BrightnessTeacher:
    """Gives maps, embeddings and names that follow from the picture's mean colour."""

    sha256 = "0" * 64

    def __init__(self, _: Path | None = None) -> None:
        self.looks = 0

    def show(self, picture: Image.Image) -> Lesson:
        assert picture.size == (224, 224)
        self.looks += 1
        colour = np.asarray(picture, dtype=np.float32).mean(axis=(0, 1))
        maps = tuple(np.full((side, side, depth), colour[0] / 4, dtype=np.int8) for side, depth in MAPS)
        named = np.zeros(CLASSES, dtype=np.uint8)
        named[int(colour[0] / 64)] = 250
        return Lesson(maps, np.resize(colour / 50, EMBEDDING).astype(np.float32), named)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(3)
    (tmp_path / "photographs" / "left").mkdir(parents=True)
    for number in range(13):
        noise = rng.integers(0, 20, size=(40, 50, 3)) + 18 * number
        Image.fromarray(noise.astype(np.uint8)).save(tmp_path / "photographs" / f"{number:02}.png")
    Image.new("RGB", (9, 9)).save(tmp_path / "photographs" / "left" / "out.png")
    return tmp_path / "photographs"


def kept_views(folder: Path, out: Path, teacher: Shows | None = None, *, mixed: float = 0.0) -> Views:
    files = photographs(folder, ["left"])
    return make_views(folder, files, teacher or BrightnessTeacher(), 1, out, mixed=mixed)


def test_photographs_are_found_at_any_depth_in_order_without_what_is_left_out(folder: Path) -> None:
    assert photographs(folder)[-1] == "left/out.png"
    assert photographs(folder, ["left"]) == [f"{number:02}.png" for number in range(13)]


def test_a_view_shows_a_large_part_of_its_photograph() -> None:
    boxes = [random_box(160, 100, np.random.default_rng(seed)) for seed in range(200)]
    assert 60 < sum(box == (0, 0, 160, 100) for box in boxes) < 140
    for left, upper, right, lower in boxes:
        assert 0 <= left < right <= 160
        assert 0 <= upper < lower <= 100
        assert (right - left) * (lower - upper) > 0.7 * SMALLEST_AREA * 160 * 100


def test_views_are_the_same_however_often_their_making_was_stopped(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = kept_views(folder, tmp_path / "whole")
    monkeypatch.setattr("scenescore_classifier.distillation.views.SAVE_EVERY", 3)

    class Tired(BrightnessTeacher):
        def show(self, picture: Image.Image) -> Lesson:
            if self.looks == 7:
                raise KeyboardInterrupt
            return super().show(picture)

    with pytest.raises(KeyboardInterrupt):
        kept_views(folder, tmp_path / "parts", Tired())
    rested = BrightnessTeacher()
    parts = kept_views(folder, tmp_path / "parts", rested)
    assert rested.looks == 13 - 6  # six were noted before the seventh was looked at
    assert np.array_equal(parts.pixels, whole.pixels)
    assert np.array_equal(parts.maps[0], whole.maps[0])
    assert np.array_equal(parts.named, whole.named)
    assert parts.seen.all()


def test_a_photograph_that_can_not_be_read_is_left_out(folder: Path, tmp_path: Path) -> None:
    (folder / "05.png").write_bytes(b"no picture")
    views = kept_views(folder, tmp_path / "views")
    assert views.seen.sum() == 12
    assert not views.seen[5]


def test_without_a_photograph_to_measure_by_nothing_is_taught(folder: Path, tmp_path: Path) -> None:
    (folder / "00.png").write_bytes(b"no picture")
    views = kept_views(folder, tmp_path / "views")
    with pytest.raises(ViewsError, match="one in 40, can be read"):
        Distillation([views], SETTINGS, tmp_path / "run")


def test_views_of_before_things_were_named_are_refused(folder: Path, tmp_path: Path) -> None:
    kept_views(folder, tmp_path / "views")
    facts = json.loads((tmp_path / "views" / "views.json").read_text())
    del facts["names"]
    (tmp_path / "views" / "views.json").write_text(json.dumps(facts))
    with pytest.raises(ViewsError, match="name another folder"):
        kept_views(folder, tmp_path / "views")


def test_views_of_other_photographs_are_refused(folder: Path, tmp_path: Path) -> None:
    kept_views(folder, tmp_path / "views")
    with pytest.raises(ViewsError, match="name another folder"):
        make_views(folder, photographs(folder), BrightnessTeacher(), 1, tmp_path / "views")


def test_a_mixture_is_alike_at_every_size_and_mostly_the_photograph_itself() -> None:
    blended = 0
    for seed in range(60):
        mix = random_mixture(np.random.default_rng(seed))
        small, large = (
            np.asarray(mix(Image.new("L", (side, side)), Image.new("L", (side, side), 200)))
            for side in (SIDE, 2 * SIDE)
        )
        assert np.array_equal(small.repeat(2, axis=0).repeat(2, axis=1), large)
        assert MIXED_IN[0] - 0.01 <= small.mean() / 200 <= MIXED_IN[1] + 0.01
        blended += len(np.unique(small)) == 1
    assert 15 < blended < 45


def test_a_mixture_leaves_its_pictures_as_they_are() -> None:
    own, other = Image.new("L", (SIDE, SIDE)), Image.new("L", (SIDE, SIDE), 200)
    for seed in range(4):
        random_mixture(np.random.default_rng(seed))(own, other)
    assert (own.getextrema(), other.getextrema()) == ((0, 0), (200, 200))


def test_what_is_kept_for_measuring_is_not_mixed_and_in_no_mixture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(making, "HELD_OUT", 3)
    (tmp_path / "photographs").mkdir()
    for place in range(30):  # those kept have green, the others only a red of their own
        colour = (0, 255, 0) if place % 3 == 0 else (8 * place, 0, 0)
        Image.new("RGB", (60, 50), colour).save(tmp_path / "photographs" / f"{place:02}.png")
    plain = kept_views(tmp_path / "photographs", tmp_path / "plain")
    mixed = kept_views(tmp_path / "photographs", tmp_path / "mixed", mixed=1.0)
    learnt = np.arange(30) % 3 != 0
    assert np.array_equal(plain.pixels[~learnt], mixed.pixels[~learnt])
    assert not mixed.pixels[learnt][..., 1].any()
    changed = [bool((plain.pixels[place] != mixed.pixels[place]).any()) for place in np.flatnonzero(learnt)]
    assert 8 <= sum(changed) < 20  # a third drew a kept one, and stay as they are


def test_the_teacher_says_what_it_makes_of_the_mixture(folder: Path, tmp_path: Path) -> None:
    views = kept_views(folder, tmp_path / "views", mixed=1.0)
    seen = views.pixels[1:, ..., 0].mean(axis=(1, 2))
    told = views.maps[0][1:, 0, 0, 0].astype(int) * 4
    apart = np.abs(seen - told).max()
    assert apart < 6  # the teacher's picture has four times the pixels, its map steps of 4


def test_a_photograph_stays_alone_where_the_other_can_not_be_read(folder: Path, tmp_path: Path) -> None:
    for place in range(2, 13):
        (folder / f"{place:02}.png").write_bytes(b"no picture")
    plain, mixed = (kept_views(folder, tmp_path / str(share), mixed=share) for share in (0.0, 1.0))
    assert plain.seen.sum() == mixed.seen.sum() == 2
    assert np.array_equal(plain.pixels, mixed.pixels)  # the second drew one that can't be read


def test_views_with_another_share_of_mixtures_are_refused(folder: Path, tmp_path: Path) -> None:
    kept_views(folder, tmp_path / "views")
    with pytest.raises(ViewsError, match="name another folder"):
        kept_views(folder, tmp_path / "views", mixed=0.5)


@pytest.mark.parametrize("half", [False, True])
def test_the_network_learns_what_the_teacher_sees(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, half: bool
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")
    settings = Settings(epochs=6, batch=4, warm_up=2, half=half)
    distillation = Distillation([views], settings, tmp_path / "run")
    before = distillation.explained()
    distillation.run(save_every=6)
    after = distillation.explained()
    assert all(late > early + 0.05 for early, late in zip(before, after, strict=True)), (before, after)
    curve = json.loads((tmp_path / "run" / "distillation.json").read_text())["curve"]
    assert curve[-1]["step"] == distillation.steps
    assert curve[-1]["explained"] == [round(share, 4) for share in after]
    assert distillation.average.embedding.weight.dtype == torch.float32


def test_who_names_what_is_usual_knows_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")
    distillation = Distillation([views], SmallSettings(batch=2), tmp_path / "run")
    seen = views.named[[row for row in range(13) if row % 6]].astype(np.float64) + 1e-3
    usual = (seen / seen.sum(axis=1, keepdims=True)).mean(axis=0)
    with torch.no_grad():
        distillation.average.names.weight.zero_()
        distillation.average.names.bias.copy_(torch.from_numpy(usual).log())
    assert distillation.explained()[-1] == pytest.approx(0, abs=1e-4)


def test_what_is_explained_does_not_depend_on_the_batches(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")
    whole, parts = (  # three are held out
        Distillation([views], SmallSettings(batch=batch), tmp_path / "run").explained()[:-1]
        for batch in (3, 2)
    )
    assert whole == pytest.approx(parts, abs=1e-4)


def test_maps_count_in_full_up_to_half_way_and_least_at_the_end() -> None:
    assert [training.inner_weight(progress) for progress in (0, 0.25, 0.5)] == [1, 1, 1]
    assert training.inner_weight(0.75) == pytest.approx((1 + INNER) / 2)
    assert training.inner_weight(1) == pytest.approx(INNER)


def test_the_weight_of_the_inner_maps_reaches_the_gradient(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")

    def moved(inner: float) -> torch.Tensor:
        monkeypatch.setattr(training, "INNER", inner)
        distillation = Distillation([views], SmallSettings(epochs=2), tmp_path / f"run-{inner}")
        weight: torch.Tensor = distillation.run().state_dict()["parts.0.1.4.weight"]
        return weight

    assert not torch.equal(moved(1.0), moved(0.0))


def test_a_stopped_run_goes_on_to_the_same_weights(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")
    whole = Distillation([views], SETTINGS, tmp_path / "whole").run(save_every=1)
    stopped = Distillation([views], SETTINGS, tmp_path / "parts")
    learn = stopped._learn
    steps = iter(range(2))

    def learn_twice() -> list[float]:
        if next(steps, None) is None:
            raise KeyboardInterrupt
        return learn()

    monkeypatch.setattr(stopped, "_learn", learn_twice)
    with pytest.raises(KeyboardInterrupt):
        stopped.run(save_every=1)
    resumed = Distillation([views], SETTINGS, tmp_path / "parts").run(save_every=1)
    assert all(
        torch.equal(a, b)
        for a, b in zip(whole.state_dict().values(), resumed.state_dict().values(), strict=True)
    )


def test_a_kept_state_of_other_settings_is_not_gone_on_with(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")
    Distillation([views], SETTINGS, tmp_path / "run").run()
    other = Distillation([views], Settings(epochs=3, batch=4), tmp_path / "run")
    fresh = Distillation([views], Settings(epochs=3, batch=4), tmp_path / "elsewhere")
    assert other.explained() == fresh.explained()


def test_a_network_is_taught_on_from_its_weights_with_nothing_shown(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")
    taught = Distillation([views], SETTINGS, tmp_path / "first").run()
    before = Distillation([views], SETTINGS, tmp_path / "first").explained()
    on = Distillation([views], SETTINGS, tmp_path / "second", taught=taught)
    assert on.explained() == before
    shown = []
    losses = on._losses

    def watch(network: SceneCNN, pixels: torch.Tensor, truth: training.Truth, seen: torch.Tensor) -> Any:
        shown.append(bool(seen.any()))
        return losses(network, pixels, truth, seen)

    monkeypatch.setattr(on, "_losses", watch)
    monkeypatch.setattr(training, "EMA", 0.5)  # else so few steps move it by less than kinds of CPU do
    further = on.run()
    assert on.explained()[-1] > before[-1] + 0.01
    assert not any(shown)
    again = Distillation([views], SETTINGS, tmp_path / "second", taught=taught)
    assert again.explained() == on.explained()  # finished: taken from the kept state
    another = Distillation([views], SETTINGS, tmp_path / "second", taught=further)
    assert another.explained() == on.explained()  # begins with those weights anew
    assert another._step == 0


def test_a_kept_state_of_other_views_is_not_gone_on_with(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(training, "HELD_OUT", 6)
    views = kept_views(folder, tmp_path / "views")
    Distillation([views], SETTINGS, tmp_path / "run").run()
    assert Distillation([views], SETTINGS, tmp_path / "run")._step > 0
    assert Distillation([replace(views, seed=2)], SETTINGS, tmp_path / "run")._step == 0
    assert Distillation([replace(views, mixed=0.5)], SETTINGS, tmp_path / "run")._step == 0


def test_parts_that_are_shown_the_teacher_s_maps_do_not_see_the_picture() -> None:
    network = SceneCNN().eval()
    pictures = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    maps = [torch.zeros(2, depth, side, side) for side, depth in MAPS]
    shown = list(network.taught(pictures, maps, torch.ones(2, dtype=torch.bool)))
    alone = list(network.taught(pictures, maps, torch.zeros(2, dtype=torch.bool)))
    assert torch.equal(shown[1][0], shown[1][1])
    assert not torch.equal(alone[1][0], alone[1][1])
    *_, embedded, logits = alone
    descriptors = network.describe(pictures)
    assert torch.allclose(embedded, descriptors[:, :EMBEDDING], atol=1e-5)
    assert torch.allclose(logits.softmax(dim=1), descriptors[:, -CLASSES:].exp() - UNLIKELY, atol=1e-5)


def test_initial_weights_follow_from_the_generator_and_leave_the_global_one_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    one, two = (SceneCNN(torch.Generator().manual_seed(seed)) for seed in (1, 1))
    other = SceneCNN(torch.Generator().manual_seed(2))
    assert torch.equal(torch.rand(1), expected)
    assert torch.equal(one.embedding.weight, two.embedding.weight)
    assert not torch.equal(one.embedding.weight, other.embedding.weight)


def test_a_backbone_comes_back_as_it_was_but_for_half_precision(tmp_path: Path) -> None:
    network = SceneCNN(torch.Generator().manual_seed(1)).eval()
    save_backbone(tmp_path / "b.safetensors", network, {"seed": 1})
    back = load_backbone(tmp_path / "b.safetensors").eval()
    pictures = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    assert torch.allclose(network.describe(pictures), back.describe(pictures), atol=2e-3)


def test_a_descriptor_tells_what_is_where_in_the_last_maps() -> None:
    network = SceneCNN(torch.Generator().manual_seed(1)).eval()
    picture = torch.rand(1, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    nothing = [torch.zeros(1, depth, side, side) for side, depth in MAPS]
    _, middle, far, embedded, _ = network.taught(picture, nothing, torch.zeros(1, dtype=torch.bool))
    (descriptor,) = network.describe(picture)
    wanted = [embedded]
    for maps in (middle, far):
        places = maps.flatten(2)
        wanted += [places.mean(dim=2), places.max(dim=2).values, places.std(dim=2)]
    assert descriptor.shape == (DESCRIPTOR,)
    assert torch.allclose(descriptor[:-CLASSES], torch.cat(wanted, dim=1)[0], atol=1e-5)


def test_a_damaged_or_foreign_backbone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "b.safetensors"
    with pytest.raises(CheckpointError, match="can't be read"):
        load_backbone(path)
    path.write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="damaged"):
        load_backbone(path)
    network = SceneCNN()
    with torch.no_grad():
        network.embedding.weight[0] = float("nan")
    save_backbone(path, network, {})
    with pytest.raises(CheckpointError, match="no finite numbers"):
        load_backbone(path)


def test_a_missing_teacher_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="scenescore models pull mobilenet"):
        Teacher(tmp_path)


class FakeInterpreter:
    """Of the shape of ai-edge-litert's: three maps, a last layer, and tensors that must not be mistaken for them."""

    quantization: tuple[float, int] = (1 / 256, 0)

    def __init__(self, **_: Any) -> None:
        named: list[tuple[str, tuple[int, ...]]] = [
            ("x/add/add", (1, 28, 28, 32)),
            ("x/project/bn", (1, 28, 28, 32)),
            ("y/add", (1, 14, 14, 96)),
        ]
        named += [("z/project", (1, 7, 7, 320)), ("z/other", (1, 7, 7, 320)), ("last/relu6", (1, 7, 7, 1280))]
        named += [("names", (1, CLASSES))]
        self.details = [
            {"index": i, "name": name, "shape": shape, "quantization": self.quantization}
            for i, (name, shape) in enumerate(named)
        ]

    def allocate_tensors(self) -> None: ...

    def invoke(self) -> None: ...

    def get_tensor_details(self) -> list[dict[str, Any]]:
        return self.details

    def get_input_details(self) -> list[dict[str, Any]]:
        return [{"index": 0}]

    def get_output_details(self) -> list[dict[str, Any]]:
        return self.details[-1:]

    def set_tensor(self, index: int, value: np.ndarray[Any, Any]) -> None:
        assert (index, value.shape, value.dtype) == (0, (1, 224, 224, 3), np.uint8)

    def get_tensor(self, index: int) -> np.ndarray[Any, Any]:
        return np.full(self.details[index]["shape"], index, dtype=np.int8)


@pytest.fixture
def litert(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / WEIGHTS_FILE).write_bytes(b"weights")
    module = SimpleNamespace(Interpreter=FakeInterpreter)
    monkeypatch.setitem(sys.modules, "ai_edge_litert", SimpleNamespace(interpreter=module))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", module)


@pytest.mark.usefixtures("litert")
def test_a_teacher_that_names_things_in_other_units_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FakeInterpreter, "quantization", (1 / 256, -128))
    with pytest.raises(TeacherError, match="another network than expected"):
        Teacher(tmp_path)


@pytest.mark.usefixtures("litert")
def test_the_teacher_s_layers_are_found_by_name_and_shape(tmp_path: Path) -> None:
    lesson = Teacher(tmp_path).show(Image.new("RGB", (224, 224)))
    assert [int(values.flat[0]) for values in lesson.maps] == [1, 2, 3]
    assert lesson.embedding == pytest.approx(np.full(EMBEDDING, (5 + 128) / 255 * 6), abs=1e-5)
    assert lesson.named.tolist() == [6] * CLASSES


def test_the_command_says_what_is_missing(
    folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = [str(folder), "--teacher", str(tmp_path), "--out", str(tmp_path / "out")]
    assert command.main([*arguments, "--leave-out", "left"]) == 1
    assert "has 13 pictures: give a folder with 200 or more" in capsys.readouterr().err


@pytest.mark.parametrize("share", ["1.5", "-0.1", "nan"])
def test_the_command_refuses_what_is_no_share(share: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["folder", "--teacher", "folder", "--out", "out", f"--mixed={share}"])
    assert "is no share: give a number from 0 to 1" in capsys.readouterr().err


def test_the_command_teaches_from_a_folder(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "LEAST_PHOTOGRAPHS", 10)
    monkeypatch.setattr(command, "Teacher", BrightnessTeacher)
    monkeypatch.setattr(command, "Settings", SmallSettings)
    monkeypatch.setattr(training, "HELD_OUT", 6)
    out = tmp_path / "out"
    arguments = [str(folder), "--teacher", str(tmp_path), "--out", str(out), "--epochs", "1"]
    assert command.main([*arguments, "--view-sets", "2", "--leave-out", "left"]) == 0
    said = capsys.readouterr().out
    *_, embedding, named = json.loads((out / "distillation.json").read_text())["curve"][-1]["explained"]
    assert f"Explains {embedding:.3f} of the variance" in said
    assert f"{named:.3f} of what it names" in said
    first, on = out / "scene-backbone.safetensors", tmp_path / "on"
    arguments = [str(folder), "--teacher", str(tmp_path), "--out", str(on), "--epochs", "1"]
    more = ["--first-view-set", "3", "--learning-rate", "1e-4", "--leave-out", "left", "--mixed", "0.5"]
    assert command.main([*arguments, *more, "--teach-on", str(first)]) == 0
    assert sorted(path.name for path in on.glob("views-*")) == ["views-3"]
    with safe_open(on / "scene-backbone.safetensors", "pt") as kept:
        facts = json.loads(kept.metadata()["facts"])
    assert facts["taught_on"] == hashlib.sha256(first.read_bytes()).hexdigest()
    assert facts["settings"]["learning_rate"] == 1e-4
    assert facts["views"] == [3]
    assert facts["mixed"] == 0.5
    assert json.loads((on / "views-3" / "views.json").read_text())["mixed"] == 0.5
    assert command.main([*arguments, "--teach-on", str(tmp_path / "nowhere")]) == 1
    assert "nowhere can't be read" in capsys.readouterr().err
    (tmp_path / "models" / "scene").mkdir(parents=True)
    (out / "scene-backbone.safetensors").rename(tmp_path / "models" / "scene" / "scene-backbone.safetensors")
    scene = architecture("scene", models_dir=tmp_path / "models")
    picture, other = Image.new("RGB", (50, 40), "red"), Image.new("RGB", (40, 50), "blue")
    assert scene.prepare(picture).shape == scene.prepared_shape
    assert not torch.equal(scene.prepare(picture), scene.prepare(other))
    assert torch.allclose(
        scene.prepare(picture), scene.prepare(picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT))
    )


def test_a_mirrored_picture_gives_the_same_views_and_corners_show_their_part(
    paint: Callable[..., bytes],
) -> None:
    picture = decode(paint(3, size=(60, 41)))
    shown, mirrored = (views(each) for each in (picture, picture.transpose(Image.Transpose.FLIP_LEFT_RIGHT)))
    assert shown.shape == (6, 3, SIDE, SIDE)
    assert torch.equal(mirrored, shown[[3, 4, 5, 0, 1, 2]])
    quarters = Image.new("RGB", (100, 50), "black")
    quarters.paste("white", (80, 0, 100, 10))  # in the upper right corner alone
    _, upper_left, lower_left, whole, upper_right, lower_right = views(quarters).float().mean(dim=(1, 2, 3))
    assert upper_left == lower_left == lower_right == 0
    assert upper_right > 1.8 * whole > 0
    assert views(Image.new("RGB", (1, 1))).shape == shown.shape


def test_without_a_backbone_it_says_how_to_come_by_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (scene_backbone, registry):
        monkeypatch.setattr(module, "backbone_path", lambda models_dir: backbone_path(models_dir, tmp_path))
    scene = architecture("scene", models_dir=tmp_path)
    with pytest.raises(ModelError, match=r"teach it once with python -m scenescore_classifier\.distillation"):
        scene.prepare(Image.new("RGB", (9, 9)))
    (found,) = [item for item in availability(tmp_path) if item.name == "scene"]
    assert found.missing == ("python -m scenescore_classifier.distillation",)
