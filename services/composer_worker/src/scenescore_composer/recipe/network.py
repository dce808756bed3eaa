"""The thesis's network: three LSTM layers and two dense ones, from a window of pitches to the next."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor, nn

WINDOW = 100
LAYERS = (256, 512, 256)
DENSE = 256
DROPOUT = 0.3


class ThesisLstm(nn.Module):
    """Windows of numbers in [0, 1) → logits of the next pitch.

    Initialised as Keras does by default: kernels uniformly by Glorot and Bengio (2010), recurrent ones orthogonal,
    forget gates open (one). Draws from explicit generators alone.
    """

    def __init__(
        self, pitches: int, generator: torch.Generator, *, layers: Sequence[int] = LAYERS, dense: int = DENSE
    ) -> None:
        super().__init__()
        sizes = (1, *layers)
        with torch.device("meta"):  # where nothing is initialised: that would draw from the global generator
            self.lstms = nn.ModuleList(
                nn.LSTM(inside, out, batch_first=True) for inside, out in pairwise(sizes)
            )
            self.dense = nn.Linear(layers[-1], dense)
            self.head = nn.Linear(dense, pitches)
        self.to_empty(device="cpu")
        self._initialise(generator)

    def forward(self, windows: Tensor, drop: torch.Generator | None = None) -> Tensor:
        """Windows [batch, time] → logits [batch, pitches]. `drop` is the source of dropout's randomness, if any."""
        hidden = windows.unsqueeze(-1)
        for place, lstm in enumerate(self.lstms):
            hidden, _ = lstm(hidden)
            if place < len(self.lstms) - 1:
                hidden = _dropped(hidden, drop)
        logits: Tensor = self.head(_dropped(self.dense(hidden[:, -1]), drop))
        return logits

    def _initialise(self, generator: torch.Generator) -> None:
        for name, weights in self.named_parameters():
            if weights.ndim == 1:
                nn.init.zeros_(weights)
                if "bias_ih" in name:
                    quarter = len(weights) // 4
                    nn.init.ones_(weights[quarter : 2 * quarter])
            elif "weight_hh" in name:
                nn.init.orthogonal_(weights, generator=generator)
            else:
                nn.init.xavier_uniform_(weights, generator=generator)


def _dropped(values: Tensor, generator: torch.Generator | None) -> Tensor:
    if generator is None:
        return values
    kept = torch.empty_like(values).bernoulli_(1 - DROPOUT, generator=generator)
    return values * kept / (1 - DROPOUT)
