"""Settings of the command: those of every service it runs in-process."""

from scenescore_api.settings import ApiSettings
from scenescore_classifier.settings import ClassifierSettings
from scenescore_composer.settings import ComposerSettings


class StandaloneSettings(ApiSettings, ClassifierSettings, ComposerSettings):
    """One environment, read once."""
