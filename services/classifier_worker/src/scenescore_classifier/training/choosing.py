"""Which learner trains which architecture."""

from dataclasses import replace

from scenescore_classifier.models.architecture import Architecture, Training
from scenescore_classifier.training.directions import Directions
from scenescore_classifier.training.gradient import FINE_TUNING, GradientLearner, Settings
from scenescore_classifier.training.learner import Learner
from scenescore_classifier.training.logistic import LogisticLearner
from scenescore_classifier.training.zero_shot import ZeroShotLearner


def learner_for(
    architecture: Architecture,
    *,
    epochs: int | None = None,
    patience: int | None = None,
    augmentation: str | None = None,
    device: str = "cpu",
    directions: Directions | None = None,
) -> Learner:
    """The learner of the architecture's kind; what is None is as the learner has it. Only heads know `directions`."""
    match architecture.training:
        case Training.HEAD:
            return LogisticLearner(architecture, directions=directions)
        case Training.ZERO_SHOT:
            return ZeroShotLearner(architecture)
        case Training.SCRATCH | Training.FINE_TUNED as training:
            pretrained = training is Training.FINE_TUNED
            settings = FINE_TUNING if pretrained else Settings()
            settings = replace(
                settings,
                epochs=epochs or settings.epochs,
                patience=settings.patience if patience is None else patience or None,
                augmentation=augmentation or settings.augmentation,
            )
            return GradientLearner(architecture, settings, pretrained=pretrained, device=device)
