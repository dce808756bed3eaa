"""`timm:<name>`: any classification backbone of the library timm, pretrained there and fine-tuned here.

The optional extra `timm`; imported only when such a model is asked for.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor, nn

from scenescore_classifier.models.architecture import ModelError, Training, optional_library

SIDE = 224
"""Where timm does not say what a backbone was trained on."""


class TimmBackbone:
    """The backbone with a new last layer, one output per emotion; pictures are squeezed to its own size."""

    training = Training.FINE_TUNED

    def __init__(self, backbone: str) -> None:
        self._timm = optional_library("timm", extra="timm")
        if not self._timm.is_model(backbone):
            raise ModelError(f"timm has no model {backbone!r}: timm.list_models() names those it has.")
        self._backbone = backbone
        self.name = f"timm:{backbone}"
        cfg: Any = self._timm.get_pretrained_cfg(backbone, allow_unregistered=True)
        self.prepared_shape: tuple[int, ...] = (3, *(cfg.input_size[1:] if cfg else (SIDE, SIDE)))
        self._mean: tuple[float, ...] = cfg.mean if cfg else (0.5,) * 3
        self._spread: tuple[float, ...] = cfg.std if cfg else (0.5,) * 3

    def prepare(self, image: Image.Image) -> Tensor:
        """uint8 (3, height, width), the whole scene: no crop loses a corner of it."""
        _, height, width = self.prepared_shape
        small = image.resize((width, height), Image.Resampling.BICUBIC)
        return torch.from_numpy(np.array(small, dtype=np.uint8)).permute(2, 0, 1).contiguous()

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> nn.Module:
        """As `Architecture` says. Raises ModelError when the pretrained weights can't be had."""
        seed = generator.initial_seed() if generator else 0
        with torch.random.fork_rng(devices=[]):  # timm draws initial weights from torch's global generator
            torch.manual_seed(seed)
            try:
                backbone = self._timm.create_model(
                    self._backbone, pretrained=pretrained, num_classes=len(emotions)
                )
            except (OSError, RuntimeError) as error:
                raise ModelError(
                    f"timm can't give the weights of {self._backbone}: download them once on a machine with a "
                    f"network ({error})."
                ) from error
        return NormalisedBackbone(backbone, self._mean, self._spread)


class NormalisedBackbone(nn.Module):
    """Shares of full brightness → the backbone's own range → logits."""

    mean: Tensor
    spread: Tensor

    def __init__(self, backbone: nn.Module, mean: Sequence[float], spread: Sequence[float]) -> None:
        super().__init__()
        self.backbone = backbone
        self.register_buffer("mean", torch.tensor(mean).view(3, 1, 1), persistent=False)
        self.register_buffer("spread", torch.tensor(spread).view(3, 1, 1), persistent=False)

    def forward(self, pictures: Tensor, dropout: torch.Generator | None = None) -> Tensor:
        """(n, 3, height, width) in [0, 1] → (n, emotions). Backbones have their own regularisation: `dropout`
        is not read.
        """
        logits: Tensor = self.backbone((pictures - self.mean) / self.spread)
        return logits
