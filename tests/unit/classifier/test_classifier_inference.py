"""The classifier that the worker calls: one answer per picture, whatever its neighbours are."""

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from scenescore_classifier import checkpoint
from scenescore_classifier.calibration import softmax
from scenescore_classifier.checkpoint import CheckpointError
from scenescore_classifier.inference import Classifier
from scenescore_classifier.models.architecture import ModelError
from scenescore_classifier.models.thesis import AS_DESCRIBED, AS_PRINTED, Thesis, ThesisCNN
from scenescore_classifier.preprocessing import decode, to_tensor
from scenescore_shared.emotions import ALL_EMOTIONS
from scenescore_shared.errors import InvalidPictureError

Paint = Callable[..., bytes]
TEMPERATURE = 0.05
"""Cold, so that untrained weights, whose logits are near 0, give mixes that differ."""


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    card = {"emotions": list(ALL_EMOTIONS), "temperature": TEMPERATURE}
    checkpoint.save(tmp_path, AS_DESCRIBED, ThesisCNN(len(ALL_EMOTIONS)), card)
    return tmp_path


def test_a_picture_gets_the_same_mix_alone_and_in_any_batch(directory: Path, paint: Paint) -> None:
    classifier = Classifier.load(directory)
    pictures = [paint(seed) for seed in range(17)]
    alone = [classifier.classify([picture])[0] for picture in pictures]
    assert classifier.classify(pictures) == alone
    assert classifier.classify(pictures[::-1])[::-1] == alone
    assert classifier.classify([pictures[3]] * 5) == [alone[3]] * 5
    assert len({str(mix) for mix in alone}) == 17


def test_a_batch_moves_shares_far_less_than_their_last_decimal(paint: Paint) -> None:
    model = ThesisCNN(4).double()
    tensors = torch.stack([to_tensor(decode(paint(seed))) for seed in range(9)]).double()
    with torch.inference_mode():
        alone = torch.cat([model(tensor[None]) for tensor in tensors])
        assert float((model(tensors) - alone).abs().max()) < 1e-12


def test_mixes_are_calibrated_over_the_emotions_in_use(directory: Path, paint: Paint) -> None:
    with torch.inference_mode():
        logits = ThesisCNN(4)(to_tensor(decode(paint(5)))[None]).double().numpy()
    shares = softmax(logits[:, [2, 0]], TEMPERATURE)[0]
    (mix,) = Classifier.load(directory, emotions=("sad", "happy")).classify([paint(5)])
    assert isinstance(mix, dict)
    assert list(mix) == ["sad", "happy"]
    assert list(mix.values()) == pytest.approx(shares, abs=0.0011)
    assert math.fsum(mix.values()) == 1


def test_a_bad_picture_hurts_no_other(directory: Path, paint: Paint) -> None:
    classifier = Classifier.load(directory)
    good, other = paint(1), paint(2)
    first, error, second, empty = classifier.classify([good, good[:300], other, b""])
    assert [first, second] == classifier.classify([good, other])
    assert isinstance(error, InvalidPictureError)
    assert isinstance(empty, InvalidPictureError)


def test_nothing_and_nothing_usable(directory: Path) -> None:
    classifier = Classifier.load(directory)
    assert classifier.classify([]) == []
    assert [type(result) for result in classifier.classify([b"x", b"y"])] == [InvalidPictureError] * 2


def test_an_emotion_drowned_by_others_still_gets_a_mix(directory: Path, paint: Paint) -> None:
    model = ThesisCNN(4)
    with torch.no_grad():
        model.output.bias.copy_(torch.tensor([0.0, 1.0, 2.0, 1e6]))  # sure of calm, which is not in use
    checkpoint.save(directory, AS_DESCRIBED, model, {"emotions": list(ALL_EMOTIONS), "temperature": 1})
    (mix,) = Classifier.load(directory).classify([paint()])
    assert isinstance(mix, dict)
    assert mix["sad"] > mix["angry"] > mix["happy"] > 0


def test_the_name_tells_weights_apart(directory: Path) -> None:
    name = Classifier.load(directory).name
    assert name == f"thesis-relu@{checkpoint.load(directory).sha256[:8]}"


@pytest.mark.parametrize("name", [AS_DESCRIBED, AS_PRINTED])
def test_the_card_says_which_network_it_is(tmp_path: Path, paint: Paint, name: str) -> None:
    network = Thesis(name).network(ALL_EMOTIONS)
    checkpoint.save(tmp_path, name, network, {"emotions": list(ALL_EMOTIONS), "temperature": TEMPERATURE})
    with torch.inference_mode():
        logits = network(to_tensor(decode(paint(5)))[None]).double().numpy()
    classifier = Classifier.load(tmp_path, emotions=ALL_EMOTIONS)
    (mix,) = classifier.classify([paint(5)])
    assert isinstance(mix, dict)
    assert list(mix.values()) == pytest.approx(softmax(logits, TEMPERATURE)[0], abs=0.0011)
    assert classifier.name.startswith(f"{name}@")


def test_a_card_of_an_unknown_network_is_refused(directory: Path) -> None:
    checkpoint.save(
        directory / "other", "unheard-of", ThesisCNN(2), {"emotions": ["a", "b"], "temperature": 1}
    )
    with pytest.raises(ModelError, match="unheard-of"):
        Classifier.load(directory / "other")


@pytest.mark.parametrize("emotions", [("happy", "bored"), ()])
def test_emotions_the_model_does_not_know_are_refused(directory: Path, emotions: tuple[str, ...]) -> None:
    with pytest.raises(CheckpointError, match="happy, angry, sad, calm"):
        Classifier.load(directory, emotions=emotions)


def test_weights_that_are_no_numbers_are_refused(directory: Path) -> None:
    model = ThesisCNN(4)
    with torch.no_grad():
        model.output.bias[0] = np.nan
    checkpoint.save(directory, AS_DESCRIBED, model, {"emotions": list(ALL_EMOTIONS), "temperature": 1})
    with pytest.raises(CheckpointError, match="finite"):
        Classifier.load(directory)


def test_warm_up_needs_no_picture(directory: Path) -> None:
    Classifier.load(directory).warm_up()
