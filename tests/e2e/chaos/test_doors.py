"""An API that dies, and sweepers: none, killed, two."""
