"""The step `render`: sound, a score and a picture of music that is stored already. Knows no model and no torch."""
