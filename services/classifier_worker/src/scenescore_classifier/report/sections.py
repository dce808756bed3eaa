"""Results → Markdown. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from scenescore_classifier.models.architecture import file_stem
from scenescore_classifier.report.results import ROWS, Card, Results

SCORES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "brier_score": "Brier score",
    "log_loss": "log loss (nats)",
}
PARTS = {"default_emotions": "Three emotions", "all_emotions": "All four emotions"}
NOT_MEASURED = "not measured"

MOST_POINTS = 20
"""Of a curve that a table shows."""


INTERVALS = (
    "Five-fold cross-validation, all pictures of a theme in one fold; everything chosen (epochs, strengths, "
    "penalties) was chosen inside the training folds. A figure is the mean over cross-validations with splits of "
    "their own ± their standard deviation, and in brackets its 95 % interval by bootstrap over themes. Guessing "
    "gives each emotion its share of the labels without looking at a picture."
)
CALIBRATION = (
    "Three emotions, before and after dividing the outputs by a temperature that was fitted on other folds. "
    "The interval is of the fall itself, by bootstrap over themes."
)
NO_SCENES = (
    "The likeliest emotion's probability on pictures that were drawn, not photographed, as mean (largest), "
    "without the novelty → with it; and what the novelty changes for the labelled photographs: an answer that has "
    "become even names no emotion, and counts as the first."
)
GAN_TABLE = (
    "All emotions of the set, folds by theme, one GAN for each fold and emotion, which saw that fold's training "
    "pictures only. `scene` stands for a head from labels alone on pictures of 150 pixels, for which what one GAN made "
    "counts as one theme; its strength was chosen as heads' were before ADR 0124, and its backbone is that from before "
    "ADR 0125."
)
AFFECT = (
    "Correlation of ridge regression on the embedding with the raters' means, over the same folds; where a row's "
    "command has photographs, its teller tells the ratings unless that is clearly farther from them inside the "
    "training folds."
)


def accuracy_table(results: Results, part: str) -> Iterator[str]:
    """A row for each model of the registry; one that was not measured has its command."""
    yield f"| model | runs | {' | '.join(SCORES.values())} |"
    yield "|---|---|" + "---|" * len(SCORES)
    for row in ROWS:
        cards = results.of(row)
        for card in cards:
            figures = card["metrics"][part]
            cells = " | ".join(scored(figures[name]) for name in SCORES)
            yield f"| `{card['architecture']}` | {_runs(card, figures)} | {cells} |"
        if not cards:
            yield f"| `{row.name}` | pending | needs {row.needs} | | | |"
    guessing = next((card["metrics"][part]["guessing"] for card in results.cards), None)
    if guessing:
        yield f"| guessing | | {' | '.join(f'{guessing[name]:.3f}' for name in SCORES)} |"


def scored(figure: Mapping[str, Any]) -> str:
    low, high = figure["interval_95"]
    spread = figure.get("spread")
    return f"{figure['value']:.3f}{'' if spread is None else f' ± {spread:.3f}'} ({low:.3f} to {high:.3f})"


def _runs(card: Card, figures: Mapping[str, Any]) -> str:
    epochs = card["training"].get("epochs")
    runs = str(figures.get("runs", 1))
    return runs if epochs is None else f"{runs}, {epochs} epochs"


def commands(results: Results) -> Iterator[str]:
    """What made each row, and what would make those that are pending."""
    yield "| model | command |"
    yield "|---|---|"
    for row in ROWS:
        cards = results.of(row)
        for card in cards:
            yield f"| `{card['architecture']}` | `{card['training']['command']}` |"
        if not cards:
            yield f"| `{row.name}` (pending) | `{row.example}` |"


def calibration_table(results: Results) -> Iterator[str]:
    yield "| model | score | before | after | fall (95 %) |"
    yield "|---|---|---|---|---|"
    for card in results.cards:
        for name, gain in card["metrics"].get("calibration", {}).get("default_emotions", {}).items():
            low, high = gain["fall_95"]
            fall = gain["before"] - gain["after"]
            yield (
                f"| `{card['architecture']}` | {SCORES[name]} | {gain['before']:.3f} | {gain['after']:.3f} | "
                f"{fall:.3f} ({low:.3f} to {high:.3f}) |"
            )


def affect_table(results: Results) -> Iterator[str]:
    yield "| model | pictures | valence | arousal |"
    yield "|---|---|---|---|"
    for card in results.cards:
        affect = card["metrics"].get("affect")
        if affect:
            yield (
                f"| `{card['architecture']}` | {affect['pictures']} | {scored(affect['valence'])} | "
                f"{scored(affect['arousal'])} |"
            )


def no_scenes_table(results: Results) -> Iterator[str]:
    """The likeliest emotion's probability, before and after, on what is no scene."""
    known = [card for card in results.cards if card["metrics"].get("no_scenes")]
    if not known:
        yield NOT_MEASURED
        return
    yield "| kind | " + " | ".join(f"`{card['architecture']}`" for card in known) + " |"
    yield "|---|" + "---|" * len(known)
    kinds = [kind for kind, found in known[0]["metrics"]["no_scenes"].items() if isinstance(found, dict)]
    for kind in kinds:
        cells = [card["metrics"]["no_scenes"][kind] for card in known]
        said = (
            f"{cell['without']['mean']:.3f} ({cell['without']['largest']:.3f}) → "
            f"{cell['with']['mean']:.3f} ({cell['with']['largest']:.3f})"
            for cell in cells
        )
        yield f"| {kind} | {' | '.join(said)} |"
    yield f"| photographs moved | {' | '.join(_moved(card) for card in known)} |"
    for name in ("balanced_accuracy", "brier_score", "log_loss"):
        cells_of = " | ".join(_changed(card, name) for card in known)
        yield f"| {SCORES[name]} on photographs | {cells_of} |"


def _moved(card: Card) -> str:
    found = card["metrics"].get("novelty")
    return str(found["pictures_moved"]) if found else NOT_MEASURED


def _changed(card: Card, name: str) -> str:
    """A score over the default emotions without the novelty, and with it."""
    found, plain = card["metrics"].get("novelty"), card["metrics"]["default_emotions"]
    return f"{plain[name]['value']:.3f} → {found['default_emotions'][name]:.3f}" if found else NOT_MEASURED


def pictures_of(card: Card) -> Iterator[str]:
    """Links to the drawn confusion and reliability."""
    stem = file_stem(card["architecture"])
    yield f"![Confusion of {card['architecture']}](classifier/{stem}-confusion.png)"
    if "reliability" in card["metrics"]["default_emotions"]:
        yield f"![Reliability of {card['architecture']}](classifier/{stem}-reliability.png)"


def distillation(results: Results) -> Iterator[str]:
    """What each step of the teaching cost and brought."""
    if not results.curves:
        yield "Pending: `python -m scenescore_classifier.distillation PHOTOGRAPHS --teacher FOLDER --out DIR`, then"
        yield "put its `distillation.json` beside the cards."
        return
    yield "Shares explained of the variance of the teacher's embeddings, and of what it names beyond what is usual."
    first, *later = results.curves
    yield from _curve(first["curve"])
    for on in later:
        yield ""
        yield (
            f"Taught on with {on['views']} views of each photograph, at a rate of "
            f"{on['settings']['learning_rate']:g} at most; measured on the first of these views "
            "of the photographs kept aside."
        )
        yield from _curve(on["curve"])


def _curve(points: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    yield ""
    yield "| photographs seen | hours | embedding | names |"
    yield "|---|---|---|---|"
    apart = -(-len(points) // MOST_POINTS)
    for point in reversed(points[::-1][::apart]):  # the last one always
        *_, embedding, named = point["explained"]
        hours = point["minutes"] / 60
        yield f"| {point['photographs']:,} | {hours:.2f} | {embedding:.3f} | {named:.3f} |"


def quality_table(results: Results) -> Iterator[str]:
    if not results.quality:
        yield "Pending: `python -m scenescore_classifier.gan train|sample|quality`; no GAN has been trained yet."
        return
    yield (
        "Fréchet distances between real pictures and generated ones, beside that between two random halves of the "
        "real ones; then how far the nearest real picture is, from a generated one and from another real one. A "
        "generated picture much nearer than real ones are to each other is a copy, or shows as little as the mean."
    )
    yield ""
    yield (
        "`python -m scenescore_classifier.gan train FOLDER --out DIR --form FORM --batch BATCH --minutes MINUTES`, "
        "steps of so many pictures; then "
        "`python -m scenescore_classifier.gan quality FOLDER DIR/EMOTION --count "
        f"{results.quality[0]['made']}`; features: {results.quality[0]['features']}."
    )
    yield ""
    yield (
        "| emotion | form | side | real pictures | steps | minutes | Fréchet distance | of real halves "
        "| nearest real, median (least) | among real |"
    )
    yield "|---|---|---|---|---|---|---|---|---|---|"
    for found in results.quality:
        near = found["nearest"]["features"]
        made, among = (
            f"{near[kind]['median']:.3f} ({near[kind]['least']:.3f})"
            for kind in ("made_to_real", "real_to_other_real")
        )
        yield (
            f"| {found['emotion']} | {found['form']} | {found['side']} | {found['real']} | "
            f"{found['step']} of {found['batch']} | {found['minutes']} | "
            f"{found['frechet']['made']:.3f} | {found['frechet']['floor']:.3f} | {made} | {among} |"
        )


def data(results: Results) -> Iterator[str]:
    """Each set once: what it is and on which terms."""
    seen = set()
    for card in results.cards:
        said = card["data"]
        if said["fingerprint"] in seen:
            continue
        seen.add(said["fingerprint"])
        counts = ", ".join(f"{emotion} {count}" for emotion, count in said["pictures"].items())
        yield f"- {said['name'] or 'a set without a name'}: {counts}; {said['themes']} themes."
        if said["citation"]:
            yield f"  {said['citation']}"
        if said["licence"]:
            yield f"  Licence: {said['licence']}."
        yield f"  Fingerprint: `{said['fingerprint']}`."
