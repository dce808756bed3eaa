"""Stepping gives what the model gives."""

import pytest
import torch

from scenescore_composer.conditioning import WIDTH
from scenescore_composer.model import ModelSize, TokenLstm
from scenescore_composer.stepping import Stepping
from scenescore_composer.tokens import VOCABULARY_SIZE


@pytest.mark.parametrize("layers", [1, 3])
def test_a_step_at_a_time_is_the_whole_at_once(layers: int) -> None:
    generator = torch.Generator().manual_seed(4)
    model = TokenLstm(ModelSize(embedding=8, hidden=16, layers=layers), generator).eval()
    tokens = torch.randint(VOCABULARY_SIZE, (3, 7), generator=generator)
    conditions = torch.rand(3, 7, WIDTH, generator=generator)
    with torch.inference_mode():
        expected, _ = model(tokens, conditions, None)
        stepping = Stepping(model)
        state = stepping.start(3)
        for place in range(7):
            logits, state = stepping.step(tokens[:, place], conditions[:, place], state)
            torch.testing.assert_close(logits, expected[:, place], atol=1e-5, rtol=1e-4)
