"""The outside world: implementations of the ports. Only `wiring` builds them."""
