"""Whether every option is honoured in the MIDI: `python -m scenescore_composer.evaluation.options`.

Random sets of options, each composed as a job composes it, with less learning for speed, which no option depends on.
The files are read back, and held against what was asked: nothing is taken from what the composer says of itself. Exit
status 1 where an option was not honoured.
"""

import argparse
import io
import random
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import torch
from miditoolkit import MidiFile
from tqdm import tqdm

from scenescore_composer.base_model.shipped import load_base
from scenescore_composer.character import character_of
from scenescore_composer.composing import ComposerBudget, CompositionRequest, compose
from scenescore_composer.corpus.catalogue import Clip
from scenescore_composer.corpus.draw import draw
from scenescore_composer.evaluation.data_folder import catalogue_in
from scenescore_composer.keys import Key
from scenescore_composer.model import TokenLstm
from scenescore_composer.planning import Wishes
from scenescore_shared.emotions import DEFAULT_EMOTIONS

BUDGET = ComposerBudget(training_tokens=800)
LONGEST = 180
_AGAIN = 4
"""Every so many-th set is composed three times."""
_SECONDS_OFF = 0.1
_IN_SCALE = 0.75
"""Share of the sounding time on the key's scale that music in this key has at least."""
_LOUDNESS_OFF = 21
"""MIDI velocities between the mean and the emotions': two deviations from piece to piece, and what a melody alone gets
for leading and for its downbeats."""
_SCALES = {"major": {0, 2, 4, 5, 7, 9, 11}, "minor": {0, 2, 3, 5, 7, 8, 10, 11}}

Draw = Callable[[Mapping[str, float], int], Sequence[Clip]]
"""The clips for a mix and a seed."""


def random_request(number: int, longest: int = LONGEST) -> CompositionRequest:
    """Options as the API takes them, each set or left out at random; the same number gives the same ones."""
    chance = random.Random(f"options {number}")

    def perhaps(value: float) -> float | None:
        return value if chance.random() < 0.5 else None  # noqa: PLR2004 - a fair coin

    emotions = chance.sample(DEFAULT_EMOTIONS, chance.randint(1, len(DEFAULT_EMOTIONS)))
    weights = [chance.random() + 0.01 for _ in emotions]
    tempo = perhaps(chance.randint(30, 240))
    key = Key(chance.randrange(12), chance.choice(("major", "minor")))
    return CompositionRequest(
        mix={emotion: weight / sum(weights) for emotion, weight in zip(emotions, weights, strict=True)},
        seed=chance.randrange(2**31),
        wishes=Wishes(
            # short music is asked for more often, as it is sooner made
            seconds=round(10 * (longest / 10) ** (chance.random() ** 2), 1),
            tempo_bpm=None if tempo is None else int(tempo),
            key=key if chance.random() < 0.5 else None,  # noqa: PLR2004 - as above
        ),
        temperature=perhaps(chance.uniform(0.5, 1.5)) or 1.0,
        program=chance.randrange(128),
        variations=chance.choice((1, 1, 1, 2, 3, 8)) if longest == LONGEST else chance.randint(1, 2),
    )


def dishonoured(
    request: CompositionRequest,
    draw_clips: Draw,
    base: TokenLstm,
    budget: ComposerBudget = BUDGET,
    *,
    again: bool = True,
) -> list[str]:
    """In words, each option that the MIDI files do not keep to.

    With `again`, seed and temperature are among them: it composes three times instead of once.
    """
    clips = draw_clips(request.mix, request.seed)

    def composed(asked: CompositionRequest) -> list[bytes]:
        return [each.midi for each in compose(clips, asked, budget, base, lambda _: None)]

    files = composed(request)
    found = [fault for data in files for fault in _faults(data, request)]
    if len(set(files)) != request.variations:
        found.append(f"variations: {len(set(files))} different files instead of {request.variations}")
    if again:
        other = replace(request, temperature=0.5 if request.temperature >= 1 else 1.5)
        if composed(request) != files:
            found.append("seed: other bytes the second time")
        if composed(other) == files:
            found.append(f"temperature: the same bytes at {request.temperature:g} and {other.temperature:g}")
    return found


def _faults(data: bytes, request: CompositionRequest) -> list[str]:
    file = MidiFile(file=io.BytesIO(data))
    (part,) = file.instruments
    wishes = request.wishes
    seconds = float(file.get_tick_to_time_mapping()[max(note.end for note in part.notes)])
    loudness = sum(note.velocity for note in part.notes) / len(part.notes)
    meant = character_of(request.mix).loudness
    checks = {
        f"seconds: {seconds:.2f} instead of {wishes.seconds}": abs(seconds - wishes.seconds) < _SECONDS_OFF,
        f"instrument: {part.program} instead of {request.program}": part.program == request.program,
        f"emotions: mean loudness {loudness:.0f} instead of {meant:.0f}": abs(loudness - meant)
        < _LOUDNESS_OFF,
    }
    if wishes.tempo_bpm is not None:
        tempos = {round(change.tempo) for change in file.tempo_changes}
        checks[f"tempo_bpm: {tempos} instead of {wishes.tempo_bpm}"] = tempos == {wishes.tempo_bpm}
    if wishes.key is not None:
        checks |= _key_checks(file, wishes.key)
    return [fault for fault, honoured in checks.items() if not honoured]


def _key_checks(file: MidiFile, key: Key) -> dict[str, bool]:
    notes = file.instruments[0].notes
    degrees = _SCALES[key.mode]
    held = sum(note.end - note.start for note in notes)
    share = sum(n.end - n.start for n in notes if (n.pitch - key.tonic) % 12 in degrees) / held
    end = max(note.end for note in notes)
    close = {(note.pitch - key.tonic) % 12 for note in notes if note.end == end}
    triad = {0, 4, 7} if key.mode == "major" else {0, 3, 7}
    marked = [change.key_name for change in file.key_signature_changes]
    return {
        f"key: marked {marked} instead of {key.signature}": marked == [key.signature],
        f"key: {share:.2f} of the sound lies on the scale of {key.name}": share >= _IN_SCALE,
        f"key: it ends on {close} above the tonic of {key.name}": 0 in close and close <= triad,
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(arguments)
    catalogue = catalogue_in(options.data_dir, application="options")
    if catalogue is None:
        return 2
    torch.set_num_threads(1)
    available = catalogue.ids_by_emotion()
    base = load_base().model

    def clips_for(mix: Mapping[str, float], seed: int) -> Sequence[Clip]:
        return catalogue.get(draw(mix, BUDGET.clips, seed, available))

    kept = pieces = 0
    for number in tqdm(range(options.sets), unit="set", disable=None):
        request = random_request(number, options.longest)
        faults = dishonoured(request, clips_for, base, again=number % _AGAIN == 0)
        kept += not faults
        pieces += request.variations
        for fault in faults:
            sys.stdout.write(f"Set {number}: {fault}\n")
    again = -(-options.sets // _AGAIN)
    sys.stdout.write(
        f"{kept} of {options.sets} sets of options honoured, in {pieces} pieces;"
        f" seed and temperature asked about in {again} sets.\n"
    )
    return 0 if kept == options.sets else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m scenescore_composer.evaluation.options", description=__doc__
    )
    parser.add_argument("--data-dir", type=Path, default=Path(".scenescore"), help="default %(default)s")
    parser.add_argument("--sets", type=int, default=200, help="of options (default %(default)s)")
    parser.add_argument("--longest", type=int, default=LONGEST, help="seconds of music (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
