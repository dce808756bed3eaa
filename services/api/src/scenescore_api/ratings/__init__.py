"""Listeners' ratings: giving them, listening sessions, and what a report says of them."""
