"""The request header `Prefer` (RFC 7240): wait for the job's end, or don't."""

import math
import re
from dataclasses import dataclass

MAX_WAIT_SECONDS = 60

_PREFERENCE = re.compile(r'\s*([!#$%&*+.^_`|~\w\'-]+)\s*(?:=\s*(?:"([^"]*)"|([^;,"\s]*)))?[^,]*(?:,|$)')


@dataclass(frozen=True, slots=True, kw_only=True)
class Preferences:
    """`wait` in whole seconds, 0 to 60; None when nobody asked for it."""

    wait: int | None = None
    respond_async: bool = False

    def applied(self, *, ended: bool) -> str | None:
        """`Preference-Applied`: what the answer owes to the preferences; `ended` says how the waiting came out."""
        parts = []
        if self.respond_async and not ended:
            parts.append("respond-async")
        if self.wait is not None:
            parts.append(f"wait={self.wait}")
        return ", ".join(parts) or None


def parse_prefer(value: str | None) -> Preferences:
    """What is understood of the header. A preference that is not, or is given again, counts for nothing (§2)."""
    found: dict[str, str] = {}
    for name, quoted, token in _PREFERENCE.findall(value or ""):
        found.setdefault(name.lower(), quoted or token)
    return Preferences(wait=_seconds(found.get("wait")), respond_async="respond-async" in found)


def _seconds(text: str | None) -> int | None:
    if text is None or not text.isascii() or not text.isdigit():
        return None
    return min(MAX_WAIT_SECONDS, math.floor(float(text[:9])))
