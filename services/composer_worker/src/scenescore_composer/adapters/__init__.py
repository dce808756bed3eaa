"""The outside world: implementations of the composer's ports."""
