"""The language model over tokens."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from scenescore_composer.tokens import VOCABULARY_SIZE

_SMOOTHING = 50.0
_UNSEEN = 0.01

Memory = tuple[Tensor, Tensor]
"""What the LSTM carries on: hidden and cell state, each [layers, batch, hidden]."""


@dataclass(frozen=True, slots=True)
class ModelSize:
    embedding: int = 64
    hidden: int = 128
    layers: int = 1
    dropout: float = 0.2
    """On the LSTM's inputs and outputs, while training."""


class TokenLstm(nn.Module):
    """An LSTM (Hochreiter and Schmidhuber, 1997) that tells the next token from those before.

    Beside it a fixed table gives each token's logits after the last token alone. `learn_pairs` fills it by
    counting, so that training, for which a job has seconds, starts from what counting can tell and the LSTM
    learns what goes beyond it. Weights are drawn from `generator` alone: the same seed gives the same model.
    """

    pairs: Tensor

    def __init__(self, size: ModelSize, generator: torch.Generator) -> None:
        super().__init__()
        with torch.device("meta"):  # where nothing is initialised: that would draw from the global generator
            self.embed = nn.Embedding(VOCABULARY_SIZE, size.embedding)
            self.lstm = nn.LSTM(size.embedding, size.hidden, size.layers, batch_first=True)
            self.head = nn.Linear(size.hidden, VOCABULARY_SIZE)
        self.to_empty(device="cpu")
        self.register_buffer("pairs", torch.zeros(VOCABULARY_SIZE, VOCABULARY_SIZE))
        self.dropout = size.dropout
        self._initialise(generator)

    def forward(
        self, tokens: Tensor, memory: Memory | None, drop: torch.Generator | None = None
    ) -> tuple[Tensor, Memory]:
        """Logits [batch, time, vocabulary] of the tokens that follow `tokens` [batch, time], and the memory.

        `drop` is the source of dropout's randomness; without it nothing is dropped.
        """
        hidden, memory = self.lstm(self._dropped(self.embed(tokens), drop), memory)
        return self.head(self._dropped(hidden, drop)) + self.pairs[tokens], memory

    def learn_pairs(self, sequences: Sequence[Sequence[int]]) -> None:
        """Set the table to the log-probability of each token after each, as counted in `sequences`.

        Counts are smoothed with the tokens' own frequencies (Jelinek and Mercer's interpolation).
        """
        counts = torch.zeros(VOCABULARY_SIZE, VOCABULARY_SIZE)
        for sequence in sequences:
            tokens = torch.tensor(sequence)
            counts.index_put_((tokens[:-1], tokens[1:]), torch.ones(len(sequence) - 1), accumulate=True)
        alone = (counts.sum(dim=0) + _UNSEEN) / (counts.sum() + _UNSEEN * VOCABULARY_SIZE)
        smoothed = (counts + _SMOOTHING * alone) / (counts.sum(dim=1, keepdim=True) + _SMOOTHING)
        self.pairs = smoothed.log()

    def _dropped(self, values: Tensor, generator: torch.Generator | None) -> Tensor:
        # nn.Dropout draws from the global generator, which another job in this process may share
        if generator is None or self.dropout <= 0:
            return values
        kept = torch.empty_like(values).bernoulli_(1 - self.dropout, generator=generator)
        return values * kept / (1 - self.dropout)

    def _initialise(self, generator: torch.Generator) -> None:
        """Uniform in ±1/√fan-in, PyTorch's default for LSTMs; forget gates start open (Jozefowicz et al., 2015)."""
        with torch.no_grad():
            for name, weights in self.named_parameters():
                bound = self.lstm.hidden_size**-0.5
                weights.uniform_(-bound, bound, generator=generator)
                if name.startswith("head"):
                    weights.zero_()  # at first the table speaks alone
                if name.startswith("lstm.bias_ih"):
                    weights[self.lstm.hidden_size : 2 * self.lstm.hidden_size] = 1.0
