"""MIDI files as they sound: notes in seconds, read in a guarded child process."""
