"""The base model, from which every job starts: trained once (`python -m scenescore_composer.base_model`), shipped."""
