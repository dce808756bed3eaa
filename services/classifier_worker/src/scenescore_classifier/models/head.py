"""A linear head on the embeddings of a frozen backbone: all that is trained, and all that is saved."""

import torch
from torch import Tensor, nn


class LinearHead(nn.Module):
    """Embeddings, standardised by the training pictures' mean and spread → logits."""

    mean: Tensor
    scale: Tensor
    weight: Tensor
    bias: Tensor

    def __init__(self, dimensions: int, outputs: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dimensions))
        self.register_buffer("scale", torch.ones(dimensions))
        self.register_buffer("weight", torch.zeros(outputs, dimensions))
        self.register_buffer("bias", torch.zeros(outputs))

    def forward(self, embeddings: Tensor) -> Tensor:
        """(n, dimensions) → (n, outputs)."""
        return (embeddings - self.mean) / self.scale @ self.weight.T + self.bias
