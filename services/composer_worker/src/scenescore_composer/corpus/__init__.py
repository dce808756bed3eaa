"""The emotion-labelled clips that the composer learns from: where they come from, and drawing among them."""
