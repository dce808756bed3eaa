"""Jobs, pictures and MIDI files that many tests need, made by the tests themselves."""
