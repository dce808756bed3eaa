"""Writes docs/settings.md from the settings themselves: `make docs`. With `--check`, only says if it is stale."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from scenescore_api.settings import ApiSettings
from scenescore_classifier.settings import ClassifierSettings
from scenescore_composer.rendering.settings import RenderSettings
from scenescore_composer.settings import ComposerSettings
from scenescore_shared.settings import PREFIX, CommonSettings

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
SECTIONS: dict[str, type[BaseModel]] = {
    "Every service": CommonSettings,
    "The API, the sweeper and the deliverer of webhooks": ApiSettings,
    "The classifier": ClassifierSettings,
    "The render worker; the composer reads `SCENESCORE_RENDER__ENABLED`": RenderSettings,
    "The composer": ComposerSettings,
}
INTRODUCTION = """# Settings

All are environment variables; `make docs` writes this page from the code. A variable that starts with
`SCENESCORE_` and is not listed here is refused at start, so that a misspelt one is not silent. No secret has a
default. With none set, everything runs on one machine: SQLite, a directory, and a broker made of files.

`scenescore submit` reads `SCENESCORE_CLIENT__SERVER` and `SCENESCORE_CLIENT__KEY` ([client.md](client.md)); the
services let them pass.
"""


def rows(model: type[BaseModel], prefix: str) -> Iterator[tuple[str, str]]:
    """Each variable, and its line of the table."""
    for name, field in model.model_fields.items():
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from rows(kind, f"{prefix}{name.upper()}__")
            continue
        default = ",".join(field.default) if isinstance(field.default, tuple) else field.default
        shown = "" if default is None or default == "" else f"`{default}`"
        if not field.description:
            raise SystemExit(f"{prefix}{name.upper()} has no description")
        yield f"{prefix}{name.upper()}", f"| {shown} | {field.description} |"


def page() -> str:
    text, seen = INTRODUCTION, set()
    for title, model in SECTIONS.items():
        text += f"\n## {title}\n\n| variable | default | meaning |\n|---|---|---|\n"
        for variable, rest in rows(model, PREFIX):
            if variable not in seen:
                text += f"| `{variable}` {rest}\n"
                seen.add(variable)
    return text


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        sys.exit(None if PAGE.read_text() == page() else "docs/settings.md is stale: run `make docs`")
    PAGE.write_text(page())
