"""What distillation leaves behind: the network's weights in half precision, and how they came about."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load as parse_tensors
from safetensors.torch import save as serialise_tensors
from torch import Tensor

from scenescore_classifier.checkpoint import CheckpointError, write_atomically
from scenescore_classifier.models.scene import SceneCNN

BACKBONE_FILE = "scene-backbone.safetensors"
HEAD = "output."
"""Names of weights that begin so tell emotions apart; distillation does not teach them."""


def save_backbone(path: Path, network: SceneCNN, facts: Mapping[str, Any]) -> None:
    """Write the weights but the head's, as float16 (half the room; three digits, which the embedding can spare)."""
    tensors = {
        name: value.half().contiguous() if value.is_floating_point() else value.contiguous()
        for name, value in network.state_dict().items()
        if not name.startswith(HEAD)
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, serialise_tensors(tensors, metadata={"facts": json.dumps(facts)}))


def load_backbone(path: Path, outputs: int) -> SceneCNN:
    """A network with the weights in `path` and an untrained head. Raises CheckpointError where they are unusable."""
    try:
        kept = parse_tensors(path.read_bytes())
    except OSError as error:
        raise CheckpointError(f"{path} can't be read: {error.strerror}.") from error
    except SafetensorError as error:
        raise CheckpointError(f"{path} is damaged: restore it ({error}).") from error
    network = SceneCNN(outputs)
    expected = {name: value for name, value in network.state_dict().items() if not name.startswith(HEAD)}
    if {name: value.shape for name, value in expected.items()} != {n: v.shape for n, v in kept.items()}:
        raise CheckpointError(f"{path} holds the weights of another network: run the distillation again.")
    if not all(bool(torch.isfinite(value).all()) for value in kept.values()):
        raise CheckpointError(f"{path} holds values that are no finite numbers.")
    widened: dict[str, Tensor] = {name: value.to(expected[name].dtype) for name, value in kept.items()}
    network.load_state_dict(widened, strict=False)
    return network
