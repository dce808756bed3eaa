"""Sets that others made, as their folders come → rows of our own table."""
