"""The language model over tokens."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save as serialise_tensors
from torch import Tensor, nn

from scenescore_composer.conditioning import WIDTH
from scenescore_composer.tokens import TOKENS_VERSION, VOCABULARY_SIZE

Memory = tuple[Tensor, Tensor]
"""What the LSTM carries on: hidden and cell state, each [layers, batch, hidden]."""


class ModelFileError(ValueError):
    """The file holds no model that this code can use; the message says why."""


@dataclass(frozen=True, slots=True)
class ModelSize:
    embedding: int = 192
    hidden: int = 512
    layers: int = 1
    dropout: float = 0.1
    """On the LSTM's inputs and outputs, while training."""


class TokenLstm(nn.Module):
    """An LSTM (Hochreiter and Schmidhuber, 1997) that tells the next token from those before and a condition.

    Weights are drawn from `generator` alone: the same seed gives the same model.
    """

    def __init__(self, size: ModelSize, generator: torch.Generator) -> None:
        super().__init__()
        self.size = size
        with torch.device("meta"):  # where nothing is initialised: that would draw from the global generator
            self.embed = nn.Embedding(VOCABULARY_SIZE, size.embedding)
            self.lstm = nn.LSTM(size.embedding + WIDTH, size.hidden, size.layers, batch_first=True)
            self.head = nn.Linear(size.hidden, VOCABULARY_SIZE)
        self.to_empty(device="cpu")
        self._initialise(generator)

    def forward(
        self, tokens: Tensor, conditions: Tensor, memory: Memory | None, drop: torch.Generator | None = None
    ) -> tuple[Tensor, Memory]:
        """Logits [batch, time, vocabulary] of the tokens that follow `tokens` [batch, time], and the memory.

        `conditions` [batch, time, WIDTH] stand beside the tokens (see `conditioning`). `drop` is the source of
        dropout's randomness; without it nothing is dropped.
        """
        inputs = torch.cat([self._dropped(self.embed(tokens), drop), conditions], dim=-1)
        hidden, memory = self.lstm(inputs, memory)
        return self.head(self._dropped(hidden, drop)), memory

    def _dropped(self, values: Tensor, generator: torch.Generator | None) -> Tensor:
        # nn.Dropout draws from the global generator, which another job in this process may share
        if generator is None or self.size.dropout <= 0:
            return values
        kept = torch.empty_like(values).bernoulli_(1 - self.size.dropout, generator=generator)
        return values * kept / (1 - self.size.dropout)

    def _initialise(self, generator: torch.Generator) -> None:
        """Uniform in ±1/√hidden, PyTorch's default for LSTMs; forget gates start open (Jozefowicz et al., 2015)."""
        bound = self.lstm.hidden_size**-0.5
        with torch.no_grad():
            for name, weights in self.named_parameters():
                weights.uniform_(-bound, bound, generator=generator)
                if name.startswith("lstm.bias_ih"):
                    weights[self.lstm.hidden_size : 2 * self.lstm.hidden_size] = 1.0


def model_bytes(model: TokenLstm, facts: Mapping[str, object]) -> bytes:
    """The model as a safetensors file in half precision; `facts` are kept beside the weights, as JSON."""
    header = {"size": asdict(model.size), "tokens": TOKENS_VERSION, "condition": WIDTH, "facts": dict(facts)}
    tensors = {name: value.to(torch.float16).contiguous() for name, value in model.state_dict().items()}
    return serialise_tensors(tensors, metadata={"model": json.dumps(header, sort_keys=True)})


def load_model(path: Path) -> TokenLstm:
    """The model of a file that `model_bytes` made, in single precision.

    Raises ModelFileError when the file can't be read, or was written for other tokens or conditions.
    """
    try:
        with safe_open(path, framework="pt") as file:
            header = json.loads((file.metadata() or {})["model"])
            tensors = {name: file.get_tensor(name).float() for name in file.keys()}  # noqa: SIM118 - no mapping
        size = ModelSize(**header["size"])
    except Exception as error:  # the library raises whatever it stumbles over
        raise ModelFileError(
            f"{path} holds no model of the composer ({type(error).__name__}: {error})"
        ) from error
    if (header["tokens"], header["condition"]) != (TOKENS_VERSION, WIDTH):
        raise ModelFileError(f"{path} was trained on tokens {header['tokens']}: train the base model anew")
    model = TokenLstm(size, torch.Generator())
    model.load_state_dict(tensors)
    return model
