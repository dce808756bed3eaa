"""Submissions that cost next to nothing."""

from typing import Any

from samples.pictures import encoded, scene


def small_picture(seed: int = 0) -> bytes:
    return encoded(scene(32, 24, seed=seed))


def small_options(*, picture: bool, **metadata: str) -> dict[str, Any]:
    """The shortest piece; a mix where no picture tells one."""
    options: dict[str, Any] = {"seconds": 10, "metadata": metadata}
    return options if picture else options | {"emotions": {"sad": 1}}
