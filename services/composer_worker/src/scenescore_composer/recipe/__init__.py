"""The thesis's own way of composing, kept for comparison: `python -m scenescore_composer.recipe`.

An LSTM learns the pitches of drawn clips from scratch, one after another whatever their rhythm, and says 500 of them.
"""
