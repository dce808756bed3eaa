"""Train the base model on folders of MIDI scores: `python -m scenescore_composer.base_model FOLDER... --out DIR`.

Stopped at any time, the same command goes on where it was. Songs are labelled by the documented rule and performed by
it before they are learnt from; every so many-th song is kept aside, and measured on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from scenescore_composer.base_model.sections import is_held_out, read_songs
from scenescore_composer.base_model.training import BaseTraining, Likelihood, Settings, likelihood
from scenescore_composer.model import ModelSize, TokenLstm, model_bytes

MODEL_FILE = "base.safetensors"
FACTS_FILE = "base.json"
SIZE = ModelSize()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; its exit status."""
    options = _parser().parse_args(arguments)
    torch.set_num_threads(options.threads)
    sections, unread = read_songs(options.folders, options.processes)
    for file in unread:
        sys.stderr.write(f"Left out {file.path}: {file.reason}.\n")
    learnt = [section for section in sections if not is_held_out(section.song)]
    held_out = [section for section in sections if is_held_out(section.song)]
    if not learnt or not held_out:
        sys.stderr.write("There are too few songs to learn from and to measure on: give more MIDI files.\n")
        return 2
    settings = Settings(seed=options.seed, tokens=options.tokens, size=SIZE)
    model = TokenLstm(settings.size, torch.Generator().manual_seed(settings.seed))
    training = BaseTraining(model, learnt, held_out, settings, options.out)
    training.run()
    measured = likelihood(model, held_out)
    facts = {
        "seed": settings.seed,
        "tokens": settings.tokens,
        "songs": len({section.song for section in learnt}),
        "held_out_songs": len({section.song for section in held_out}),
        "held_out_nats_per_token": round(measured.per_token, 4),
        "held_out_nats_per_note": round(measured.per_note, 4),
    }
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / MODEL_FILE).write_bytes(model_bytes(model, facts))
    (options.out / FACTS_FILE).write_text(json.dumps({**facts, "curve": training.curve}, indent=1) + "\n")
    sys.stdout.write(_report(measured, options.out))
    return 0


def _report(measured: Likelihood, out: Path) -> str:
    return (
        f"Held-out songs: {measured.per_token:.3f} nats a token, {measured.per_note:.3f} nats a note.\n"
        f"The model is {out / MODEL_FILE}, its figures {out / FACTS_FILE}.\n"
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m scenescore_composer.base_model", description=__doc__)
    parser.add_argument("folders", type=Path, nargs="+", metavar="FOLDER", help="MIDI files, at any depth")
    parser.add_argument("--out", type=Path, required=True, help="for the model, its state and its figures")
    parser.add_argument(
        "--tokens", type=int, default=Settings.tokens, help="to learn from in all (%(default)s)"
    )
    parser.add_argument("--seed", type=int, default=Settings.seed, help="default %(default)s")
    parser.add_argument(
        "--threads", type=int, default=1, help="the same number gives the same weights (%(default)s)"
    )
    parser.add_argument("--processes", type=int, default=2, help="that read the files (default %(default)s)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
