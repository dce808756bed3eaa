"""Every option is honoured in the MIDI, over a few random sets; the command does it over 200, with the real model."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from scenescore_composer.composing import ComposerBudget, compose
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.evaluation import options
from scenescore_composer.evaluation.options import dishonoured, main, random_request
from scenescore_composer.keys import Key
from scenescore_composer.model import TokenLstm
from scenescore_composer.planning import Wishes

BUDGET = ComposerBudget(training_tokens=0, candidates=1)


@pytest.mark.parametrize("number", range(8))
def test_random_options_are_honoured(number: int, clips: list[Clip], tiny_base: TokenLstm) -> None:
    request = random_request(number, longest=20)

    def draw_clips(_mix: Mapping[str, float], _seed: int) -> Sequence[Clip]:
        return clips

    # a model that never learnt keeps to no scale
    found = [fault for fault in dishonoured(request, draw_clips, tiny_base, BUDGET) if "scale" not in fault]
    assert found == []


def test_what_is_not_honoured_is_named(
    clips: list[Clip], tiny_base: TokenLstm, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = replace(
        random_request(0, longest=12),
        wishes=Wishes(12, tempo_bpm=100, key=Key(2, "major")),
        program=3,
        variations=2,
        temperature=1.0,
    )

    def deaf(drawn: Sequence[Clip], _asked: object, *rest: object) -> object:
        """Composes something else, and each time alike."""
        heard = replace(
            request,
            wishes=Wishes(15, tempo_bpm=80, key=Key(3, "minor")),
            program=4,
            variations=1,
            mix={"sad": 1},
        )
        return compose(drawn, heard, *rest)  # type: ignore[arg-type]  # what `compose` takes

    monkeypatch.setattr(options, "compose", deaf)
    loud = replace(request, mix={"angry": 1.0})
    found = dishonoured(loud, lambda _mix, _seed: clips, tiny_base, BUDGET)
    named = {fault.split(":")[0] for fault in found}
    assert named == {"seconds", "tempo_bpm", "key", "instrument", "variations", "temperature", "emotions"}


def test_sets_are_many_and_the_same_each_time() -> None:
    requests = [random_request(number) for number in range(200)]
    assert requests == [random_request(number) for number in range(200)]
    assert {request.variations for request in requests} == {1, 2, 3, 8}
    assert min(request.wishes.seconds for request in requests) < 11
    assert max(request.wishes.seconds for request in requests) > 150
    assert {len(request.mix) for request in requests} == {1, 2, 3}
    assert {request.wishes.tempo_bpm is None for request in requests} == {True, False}


def test_it_needs_a_corpus(tmp_path: object, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--data-dir", str(tmp_path)]) == 2
    assert "corpus build" in capsys.readouterr().err
