"""The GAN's networks and losses: shapes, padding and the formulas of the papers."""

import pytest
import torch
from torch.nn import functional

from scenescore_classifier.gan.losses import gradient_penalty, wasserstein_estimate
from scenescore_classifier.gan.networks import NOISE, Critic, Generator, pad_same

NARROW = 16


def chance(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("side", [64, 128])
def test_pictures_have_the_side_and_range_asked_for(side: int) -> None:
    pictures = Generator(side, chance(), width=NARROW)(torch.randn(2, NOISE, generator=chance()))
    assert pictures.shape == (2, 3, side, side)
    assert float(pictures.detach().abs().max()) <= 1
    assert Critic(side, chance(), width=NARROW)(pictures).shape == (2,)


def test_the_networks_have_the_channels_of_the_design() -> None:
    generator, critic = Generator(128, chance()), Critic(128, chance())
    made, judged = generator.state_dict(), critic.state_dict()
    assert [made[f"convolutions.{n}.weight"].shape[1] for n in range(5)] == [256, 128, 64, 32, 3]
    assert [judged[f"convolutions.{n}.weight"].shape[0] for n in range(4)] == [64, 128, 256, 512]
    assert all(norm.momentum == pytest.approx(0.1) and norm.eps == 1e-5 for norm in generator.norms)
    assert critic.score.weight.shape == (1, 512 * 8 * 8)
    weights = judged["convolutions.3.weight"]
    assert float(weights.abs().max()) <= 0.04
    assert float(weights.std()) == pytest.approx(0.02 * 0.88, rel=0.02)  # what the cut leaves of a normal


def test_the_generators_stages_transpose_the_critics_same_padding() -> None:
    """TensorFlow defines the transposed convolution as the gradient of the padded one."""
    kernel = torch.randn(2, 3, 5, 5, generator=chance(1), dtype=torch.float64)
    x = torch.randn(1, 3, 8, 8, generator=chance(2), dtype=torch.float64, requires_grad=True)
    y = functional.conv2d(pad_same(x), kernel, stride=2)
    assert y.shape == (1, 2, 4, 4)
    seen = torch.randn(y.shape, generator=chance(3), dtype=torch.float64)
    (expected,) = torch.autograd.grad(y, x, seen)
    transposed = functional.conv_transpose2d(seen, kernel, stride=2, padding=1)[:, :, :-1, :-1]
    torch.testing.assert_close(transposed, expected)


def test_a_penalised_critic_scores_each_picture_for_itself() -> None:
    critic = Critic(64, chance(), penalised=True, width=NARROW).double()
    pictures = torch.rand(3, 3, 64, 64, generator=chance(), dtype=torch.float64)
    torch.testing.assert_close(critic(pictures)[:1], critic(pictures[:1]))


def test_the_penalty_is_on_the_distance_of_the_gradients_norm_from_one() -> None:
    direction = torch.full((1, 3, 2, 2), 1.0)
    direction *= 3 / direction.norm()

    def linear(pictures: torch.Tensor) -> torch.Tensor:
        return (pictures * direction).sum(dim=(1, 2, 3))

    real, made = torch.rand(4, 3, 2, 2, generator=chance(1)), torch.rand(4, 3, 2, 2, generator=chance(2))
    penalty = gradient_penalty(linear, real, made, torch.rand(4, 1, 1, 1, generator=chance(3)))
    assert float(penalty.detach()) == pytest.approx((3 - 1) ** 2, rel=1e-5)


def test_the_estimate_is_the_difference_of_mean_scores() -> None:
    assert float(wasserstein_estimate(torch.tensor([2.0, 4.0]), torch.tensor([1.0, 0.0]))) == 2.5
