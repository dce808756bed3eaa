"""What the sweeper does, a class for each duty. A round of each is bounded, and two at once do no harm."""
