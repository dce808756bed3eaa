"""The ways of varying training pictures, by name."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from scenescore_classifier import augmentation_today as today
from scenescore_classifier import mixing
from scenescore_classifier.augmentation import SHEAR, ZOOM, augment
from scenescore_classifier.mixing import Mixture
from scenescore_shared.errors import ScenescoreError


class UnknownPolicyError(ScenescoreError):
    """No policy has that name."""

    code = "unknown_augmentation"


@dataclass(frozen=True)
class Policy:
    """What happens to a batch of training pictures, float (n, 3, h, w) in [0, 1], before the network sees it.

    Each function takes the batch and the generator that decides everything; shape and range stay.
    """

    name: str
    vary: Callable[[Tensor, torch.Generator], Tensor]
    """Each picture on its own; its targets stay true."""
    mix: Callable[[Tensor, torch.Generator], tuple[Tensor, Mixture]]
    """Pictures with each other; targets become `Mixture.of(targets)`."""
    parameters: Mapping[str, object]
    """For the card of what is trained so."""


def policy(name: str) -> Policy:
    """The policy called `name`, one of `POLICIES`. Raises UnknownPolicyError."""
    try:
        return POLICIES[name]
    except KeyError:
        raise UnknownPolicyError(
            f"There is no augmentation {name!r}: choose from {', '.join(POLICIES)}."
        ) from None


def _vary_today(pictures: Tensor, generator: torch.Generator) -> Tensor:
    for step in (
        today.crop_and_flip,
        today.jitter_colours,
        today.grey_some,
        today.blur_some,
        today.erase_some,
    ):
        pictures = step(pictures, generator)
    return pictures


def _leave(pictures: Tensor, _generator: torch.Generator) -> tuple[Tensor, Mixture]:
    return pictures, mixing.unmixed(pictures)


THESIS = Policy(
    name="thesis",
    vary=augment,
    mix=_leave,
    parameters={"shear_radians": SHEAR, "zoom": ZOOM, "horizontal_flips": True},
)

TODAY = Policy(
    name="today",
    vary=_vary_today,
    mix=mixing.mix_some,
    parameters={
        "crop_area": today.CROP_AREA,
        "crop_aspect": today.CROP_ASPECT,
        "horizontal_flips": True,
        "brightness": today.BRIGHTNESS,
        "contrast": today.CONTRAST,
        "saturation": today.SATURATION,
        "hue_turns": today.HUE,
        "grey_probability": today.GREY_PROBABILITY,
        "blur_probability": today.BLUR_PROBABILITY,
        "blur_sigma": today.BLUR_SIGMA,
        "erasing_probability": today.ERASING_PROBABILITY,
        "erasing_area": today.ERASING_AREA,
        "erasing_aspect": today.ERASING_ASPECT,
        "mixup_probability": mixing.MIXUP_PROBABILITY,
        "mixup_alpha": mixing.MIXUP_ALPHA,
        "cutmix_probability": mixing.CUTMIX_PROBABILITY,
        "cutmix_alpha": mixing.CUTMIX_ALPHA,
    },
)

POLICIES: Mapping[str, Policy] = {known.name: known for known in (THESIS, TODAY)}
