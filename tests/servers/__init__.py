"""Real servers, started privately by the tests on free ports from installed binaries, and killable at any time."""
