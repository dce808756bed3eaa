"""How the models of the registry learn, each behind the same interface."""
