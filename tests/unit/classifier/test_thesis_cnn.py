"""The network: the thesis's shapes, explicit chance, and no state of torch's touched."""

import pytest
import torch

from scenescore_classifier.models.thesis import ThesisCNN, drop


def test_layers_are_the_thesis_s() -> None:
    shapes = [
        tuple(value.shape) for name, value in ThesisCNN(3).state_dict().items() if name.endswith("weight")
    ]
    assert shapes == [(32, 3, 3, 3), *[(32, 32, 3, 3)] * 3, (64, 32, 3, 3), (64, 256), (3, 64)]


@pytest.mark.parametrize("outputs", [2, 4])
def test_a_logit_for_each_picture_and_emotion(outputs: int) -> None:
    logits = ThesisCNN(outputs)(torch.rand(2, 3, 150, 150))
    assert logits.shape == (2, outputs)
    assert bool(torch.isfinite(logits).all())


def test_the_generator_decides_the_weights() -> None:
    def weights(seed: int) -> torch.Tensor:
        return torch.cat(
            [p.flatten() for p in ThesisCNN(4, torch.Generator().manual_seed(seed)).parameters()]
        )

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_torch_s_global_generator_is_left_alone() -> None:
    before = torch.get_rng_state()
    ThesisCNN(4)(torch.rand(1, 3, 150, 150, generator=torch.Generator()), dropout=torch.Generator())
    assert torch.equal(torch.get_rng_state(), before)


def test_dropout_keeps_half_and_the_mean() -> None:
    dropped = drop(torch.ones(10_000), 0.5, torch.Generator().manual_seed(0))
    assert set(dropped.tolist()) == {0.0, 2.0}
    assert float(dropped.mean()) == pytest.approx(1, abs=0.05)


def test_dropout_only_where_asked_for() -> None:
    model, pictures = ThesisCNN(4), torch.rand(1, 3, 150, 150)
    assert torch.equal(model(pictures), model(pictures))
    assert not torch.equal(model(pictures), model(pictures, dropout=torch.Generator().manual_seed(1)))


def test_as_printed_every_layer_s_values_are_shares_of_one() -> None:
    model = ThesisCNN(3, softmax_within=True)
    seen: list[torch.Tensor] = []
    for layer in (*model.convolutions[1:], model.output):
        layer.register_forward_pre_hook(lambda _, inputs: seen.append(inputs[0]))
    with torch.inference_mode():
        model(torch.rand(2, 3, 150, 150))
    assert torch.allclose(seen[-1].sum(dim=1), torch.ones(2))
    for values in seen[:-1]:  # the largest of four places, for each channel
        assert float(values.min()) >= 0
        assert float(values.max()) <= 1
        assert float(values.sum(dim=1).min()) >= 1 - 1e-6
    assert not torch.equal(model(torch.ones(1, 3, 150, 150)), ThesisCNN(3)(torch.ones(1, 3, 150, 150)))
