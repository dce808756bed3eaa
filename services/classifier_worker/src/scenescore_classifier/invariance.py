"""A forward pass in which a picture's neighbours change nothing (docs/adr/0106)."""

from itertools import chain

import torch
from torch import Tensor, nn

ON_ITS_OWN = "cpu"
"""The type of device where a picture at a time costs no more than a batch."""


def logits_of(model: nn.Module, pictures: Tensor) -> Tensor:
    """Pictures, float32 (n, 3, h, w) on any device → logits, float64 (n, outputs) on the CPU.

    Alone and in any batch a picture gets the same logits. On a CPU each has a pass of its own in 32 bits: the same
    shapes, so the same kernels and the same bits. Elsewhere a batch is what makes the device worth having, and
    runs in 64 bits, where neighbours move a logit by some 1e-16, far below the three decimals that are stored. The
    model has been put there, and into that precision, by `prepared`.
    """
    place = next(chain(model.parameters(), model.buffers()))  # a frozen head has buffers only
    batch = pictures.to(place.device, place.dtype)
    with torch.inference_mode():
        if place.device.type == ON_ITS_OWN:
            rows = [model(batch[n : n + 1]) for n in range(len(batch))]
            logits: Tensor = torch.cat(rows)
        else:
            logits = model(batch)
    return logits.cpu().double()


def prepared(model: nn.Module, device: str) -> nn.Module:
    """The model on `device`, in the precision that `logits_of` needs there, with what only training uses off."""
    precision = torch.float32 if torch.device(device).type == ON_ITS_OWN else torch.float64
    return model.to(device, precision).eval()
