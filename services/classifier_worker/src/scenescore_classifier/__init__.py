"""Picture in, probabilities of its emotions out."""
