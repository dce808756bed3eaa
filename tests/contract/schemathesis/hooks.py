"""What Schemathesis can't make up itself: pictures, good ones and others."""

import schemathesis
from hypothesis import strategies as st
from samples.hostile_pictures import good_pictures

_PICTURES = list(good_pictures().values())

for content_type in ("image/jpeg", "image/png", "image/webp", "image/gif", "image/bmp", "image/tiff"):
    schemathesis.openapi.media_type(content_type, st.sampled_from(_PICTURES))
