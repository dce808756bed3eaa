"""Text that a terminal shows and does not obey."""


def plain(text: str) -> str:
    """Without control characters but for line ends: what a server says must not move anybody's cursor."""
    return "".join(letter if letter.isprintable() or letter == "\n" else "\ufffd" for letter in text)
