"""A picture's logits are its own: the same to the bit alone, in any batch and at any place in it."""

import pytest
import torch
from torch import nn

from scenescore_classifier.invariance import logits_of, prepared


def network(*, normalised_over_the_batch: bool = False) -> nn.Module:
    torch.manual_seed(0)
    layers = (nn.Conv2d(3, 24, 3, 2), nn.BatchNorm2d(24), nn.ReLU(), nn.Conv2d(24, 48, 3, 2), nn.ReLU())
    net = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(48, 4))
    return net if normalised_over_the_batch else prepared(net, "cpu")


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("side", [112, 150])
def test_alone_and_in_any_batch_the_bits_are_the_same(threads: int, side: int) -> None:
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        model = network()
        pictures = torch.rand(17, 3, side, side, generator=torch.Generator().manual_seed(1))
        alone = torch.cat([logits_of(model, picture[None]) for picture in pictures])
        assert torch.equal(logits_of(model, pictures), alone)
        assert torch.equal(logits_of(model, pictures.flip(0)).flip(0), alone)
        assert len({tuple(row) for row in alone.tolist()}) == 17
    finally:
        torch.set_num_threads(before)


def test_what_only_training_uses_is_off() -> None:
    """Batch normalisation over the batch at hand is the commonest way for neighbours to reach the third decimal."""
    pictures = torch.rand(6, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    careless = network(normalised_over_the_batch=True)
    with torch.no_grad():
        among_others, with_one = _shares(careless(pictures)[:2]), _shares(careless(pictures[:2]))
    assert float((among_others - with_one).abs().max()) > 5e-4
    model = prepared(careless, "cpu")
    assert not model.training
    assert torch.equal(logits_of(model, pictures)[:2], logits_of(model, pictures[:2]))


def _shares(logits: torch.Tensor) -> torch.Tensor:
    """As of a network that has learnt something: an untrained one's logits are near 0."""
    return (logits * 20).softmax(1)
