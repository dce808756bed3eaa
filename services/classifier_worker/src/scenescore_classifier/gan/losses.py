"""What generator and critic are trained on: pure functions of scores."""

from collections.abc import Callable

import torch
from torch import Tensor


def wasserstein_estimate(real_scores: Tensor, made_scores: Tensor) -> Tensor:
    """Mean score of real pictures less that of made ones, a scalar (Arjovsky et al. 2017, equation 2).

    Up to the critic's unknown Lipschitz constant it is the distance between both distributions. The critic
    maximises it.
    """
    return real_scores.mean() - made_scores.mean()


def generator_loss(made_scores: Tensor) -> Tensor:
    """What the generator minimises, a scalar: the critic's mean score of its pictures, negated."""
    return -made_scores.mean()


def gradient_penalty(
    critic: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, shares: Tensor
) -> Tensor:
    """Mean of (norm of the critic's gradient - 1)², a scalar (Gulrajani et al. 2017, equation 3).

    Taken at `shares` (n, 1, 1, 1) in [0, 1] of the way from `made` to `real`, both (n, 3, side, side). The
    critic must score each picture for itself. It can be differentiated again.
    """
    between = (shares * real + (1 - shares) * made).requires_grad_()
    (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    norms: Tensor = gradient.flatten(1).norm(dim=1)
    return (norms - 1).square().mean()
