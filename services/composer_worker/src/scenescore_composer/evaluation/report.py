"""The evaluation's result as a document. Pure.

Made from the JSON alone, so that it can be made again without the data.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

_HEADING = """# How good the composer's music is

Made by `python -m scenescore_composer.evaluation`; do not edit. The figures are in [{result}]({result}).

Judges are fitted to people's labels of {count} performed clips of {songs} songs ({emotions}), and asked about clips of
songs that they did not hear ({folds} folds), or about generated pieces. One (`linear`) weighs tempo, loudness,
register, mode and the like; the other (`forest`) asks decision trees about histograms of notes. Guessing gives
{chance}. Nothing that composes or selects sees a judge, or anything else that was fitted to those labels.

Random notes under a rule of tempo, mode and loudness convince judges too. So the distance says how near the music
is to what people write and play: Fréchet's, over histograms of intervals, rhythm, texture, scale and
repetition{unit}.
"""
_ANYWHERE = "any"
_UNKNOWN = "?"


def written(
    result: Mapping[str, Any], *, result_file: str, pictures: Mapping[str, str], notes: str = ""
) -> str:
    """The document in Markdown. `pictures` maps captions to paths from the document's folder.

    `notes` are sections that somebody wrote: what was measured by other commands, and how to read all this.
    """
    parts = [
        _heading(result, result_file),
        _missing(result["missing"]),
        "## In one table\n\n" + _main_table(result),
        "## What the judges mix up\n\n" + _confusions(result),
        "## Between two emotions\n\n" + _monotonicity(result["monotonicity"]),
        "## Measures of MusPy\n\nMean ± standard deviation. Clips transcribed from recordings carry no beats: their"
        " grooves and empty beats are those of a clock at 120 a minute.\n\n" + _muspy(result),
        "## Overlapping areas\n\nOf the distances among real pieces with those from real to generated ones, as in"
        " MGEval: 1 where they can't be told apart.\n\n" + _overlaps(result),
        "## Novelty\n\n" + _novelty(result["rows"]),
        "## Collapsed pieces\n\n" + _collapsed(result["rows"]),
        notes,
        _pictures(pictures),
    ]
    return "\n\n".join(part.strip() for part in parts if part) + "\n"


def _heading(result: Mapping[str, Any], result_file: str) -> str:
    stick = result["yardstick"]
    unit = ""
    if stick is not None:
        unit = (
            f", in\nunits of the distance between {' and '.join(stick['between'])} at the same number of pieces."
            f" Two halves of {stick['between'][0]} are {stick['floor']:.2f} apart"
        )
    return _HEADING.format(
        result=result_file,
        emotions=", ".join(result["emotions"]),
        chance=_share(1 / len(result["emotions"])),
        unit=unit,
        **result["clips"],
    )


def _missing(sentences: Sequence[str]) -> str:
    return (
        "## What is missing\n\n" + "\n".join(f"- {sentence}" for sentence in sentences) if sentences else ""
    )


def _main_table(result: Mapping[str, Any]) -> str:
    judges = list(result["rows"][0]["judges"])
    near = result["yardstick"]["between"] if result["yardstick"] else []
    head = ["", "pieces", *(f"judge {name}" for name in judges), "mean", *(f"to {name}" for name in near)]
    rows = [
        [
            row["name"],
            str(row["pieces"]),
            *(_share(row["judges"][name]["balanced_accuracy"]) for name in judges),
            f"**{_share(row['mean'])}**",
            *(f"{row['distance'][name]:.2f}" if row["distance"] else _UNKNOWN for name in near),
        ]
        for row in result["rows"]
    ]
    taught = [row for row in result["rows"] if "judges_taught_on_it" in row]
    notes = "".join(
        f"\n\nJudges that learnt from *{row['name']}* find {_share(row['judges_taught_on_it'])}."
        for row in taught
    )
    return "Balanced accuracy of the judges, and distances.\n\n" + _table(head, rows) + notes


def _confusions(result: Mapping[str, Any]) -> str:
    emotions = result["emotions"]
    head = ["", "judge", "meant as", *(f"heard as {emotion}" for emotion in emotions)]
    rows = [
        [row["name"], judge, emotion, *map(str, counts)]
        for row in result["rows"]
        for judge, found in row["judges"].items()
        for emotion, counts in zip(emotions, found["confusion"], strict=True)
    ]
    return _table(head, rows)


def _monotonicity(pairs: Sequence[Mapping[str, Any]]) -> str:
    if not pairs:
        return "No mixes were given."
    parts = []
    for pair in pairs:
        rises = "It rises at every step." if pair["rises"] else "**It does not rise at every step.**"
        judges = list(pair["steps"][0]["judged"])
        rows = [
            [
                f"{step['share']:g}",
                str(step["pieces"]),
                *(_share(step["judged"][name]) for name in judges),
                _share(step["mean"]),
            ]
            for step in pair["steps"]
        ]
        title = (
            f"Probability of {pair['first']} that judges give, by its share beside {pair['second']}. {rises}"
        )
        parts.append(title + "\n\n" + _table(["share", "pieces", *judges, "mean"], rows))
    return "\n\n".join(parts)


def _muspy(result: Mapping[str, Any]) -> str:
    sets = {
        **{row["name"]: row["muspy"] for row in result["rows"]},
        **{f"{name}, excerpts": near["muspy"] for name, near in result["near"].items()},
    }
    measures = list(next(iter(sets.values())))
    rows = [[name, *(_spread(table.get(measure)) for measure in measures)] for name, table in sets.items()]
    return _table(["", *measures], rows)


def _overlaps(result: Mapping[str, Any]) -> str:
    columns = {
        f"{row['name']} in {near}": areas
        for row in result["rows"][:1]
        for near, areas in row["overlap"].items()
    }
    columns |= {
        f"{row['name']} in {near}": areas
        for row in result["rows"][1:]
        if row["name"] != "real clips"
        for near, areas in row["overlap"].items()
    }
    if not columns:
        return "No set of real music was given."
    features = list(next(iter(columns.values())))
    rows = [
        [name, *(_share(areas[feature]) for feature in features), _share(sum(areas.values()) / len(areas))]
        for name, areas in columns.items()
    ]
    return _table(["", *features, "mean"], rows)


def _novelty(rows: Sequence[Mapping[str, Any]]) -> str:
    known = [row for row in rows if row.get("novelty")]
    if not known:
        return "Not known: no piece names its drawn clips."
    head = ["", "pieces", "of unknown draw", "longest run shared, notes", "in", "median"]
    found = [
        [
            row["name"],
            *(str(row["novelty"][key]) for key in ("pieces", "unknown", "longest", "longest_in", "median")),
        ]
        for row in known
    ]
    return (
        "Longest run of notes that a piece shares with a clip it was learnt from, in any key.\n\n"
        + _table(head, found)
    )


def _collapsed(rows: Sequence[Mapping[str, Any]]) -> str:
    kinds = sorted({kind for row in rows for kind in row["collapsed"]} - {_ANYWHERE})
    found = [
        [
            row["name"],
            f"{row['collapsed'][_ANYWHERE]} of {row['pieces']}",
            *(str(row["collapsed"].get(kind, 0)) for kind in kinds),
        ]
        for row in rows
    ]
    mixed = [
        f"Mixes included, {row['collapsed_with_mixes'][_ANYWHERE]} of {row['collapsed_with_mixes']['pieces']}"
        f" pieces of *{row['name']}* collapsed."
        for row in rows
        if "collapsed_with_mixes" in row
    ]
    return "\n\n".join([_table(["", "collapsed", *kinds], found), *mixed])


def _pictures(pictures: Mapping[str, str]) -> str:
    if not pictures:
        return ""
    return "## Piano rolls\n\n" + "\n\n".join(
        f"{caption}:\n\n![{caption}]({path})" for caption, path in pictures.items()
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _spread(figure: Mapping[str, float] | None) -> str:
    return _UNKNOWN if figure is None else f"{figure['mean']:.2f} ± {figure['deviation']:.2f}"


def _share(value: float) -> str:
    """As .83"""
    text = f"{value:.2f}"
    return text.removeprefix("0")
