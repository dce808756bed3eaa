"""What Schemathesis can't make up itself: pictures, good ones and others."""

from itertools import count
from typing import Any

import schemathesis
from hypothesis import strategies as st
from samples.hostile_pictures import good_pictures

_PICTURES = list(good_pictures().values())

for content_type in ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"):
    schemathesis.openapi.media_type(content_type, st.sampled_from(_PICTURES))

# addresses that a webhook may go to: random ones are refused, for reasons that no schema tells
schemathesis.openapi.format(
    "uri", st.sampled_from(["https://example.com/", "https://hooks.example.org:8443/in?from=scenescore"])
)

_numbers = count()


@schemathesis.hook
def map_headers(_: schemathesis.HookContext, headers: Any) -> Any:
    """Of two random requests with the same short key the second is refused, and rightly so."""
    if headers and "Idempotency-Key" in headers and next(_numbers) % 4:
        headers["Idempotency-Key"] = f"{next(_numbers)}"
    return headers
