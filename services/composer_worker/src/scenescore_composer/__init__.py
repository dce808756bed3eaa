"""A mix of emotions in, a new piece of music out."""
