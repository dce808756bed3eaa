"""The page: what `services/api/web` is built into, and how it is served."""
