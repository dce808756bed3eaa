"""Names → architectures.

A model of one's own is a class that satisfies `Architecture`, and a line in `_BUILT_IN`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from scenescore_classifier.models.architecture import Architecture, ModelError
from scenescore_classifier.models.backbone_files import PULL, missing
from scenescore_classifier.models.clip import Clip
from scenescore_classifier.models.colours import NAME as COLOURS
from scenescore_classifier.models.colours import Colours
from scenescore_classifier.models.mobilenet import MobileNets
from scenescore_classifier.models.scene_backbone import NAME as SCENE
from scenescore_classifier.models.scene_backbone import TEACH, Scene, backbone_path
from scenescore_classifier.models.thesis import AS_DESCRIBED, AS_PRINTED, Thesis
from scenescore_classifier.models.timm_backbone import TimmBackbone

DEFAULT = SCENE
"""The model whose weights serve unless the settings name others."""

TIMM, CLIP, MOBILENET = "timm:", "clip:", "mobilenet"

_BUILT_IN: Mapping[str, Callable[[], Architecture]] = {
    AS_PRINTED: lambda: Thesis(AS_PRINTED),
    AS_DESCRIBED: lambda: Thesis(AS_DESCRIBED),
    COLOURS: Colours,
}
"""Those that need nothing but what is installed."""

NAMES = (*_BUILT_IN, SCENE, MOBILENET, f"{TIMM}NAME", f"{CLIP}NAME/WEIGHTS")
"""For people: what may be asked for."""


@dataclass(frozen=True)
class Availability:
    """Whether a model can be used on this machine."""

    name: str
    missing: tuple[str, ...]
    """Commands that would bring what is missing; none where nothing is."""


def availability(models_dir: Path) -> list[Availability]:
    """Every model of the registry, and what it still needs. Nothing is imported or fetched."""
    litert = _extra("ai_edge_litert", MOBILENET)
    return [
        *(Availability(name, ()) for name in _BUILT_IN),
        Availability(SCENE, () if backbone_path(models_dir) else (TEACH,)),
        Availability(MOBILENET, (*litert, *((PULL,) if missing(models_dir) else ()))),
        Availability(f"{TIMM}NAME", _extra("timm", "timm")),
        Availability(f"{CLIP}NAME/WEIGHTS", _extra("open_clip", "clip")),
    ]


def _extra(library: str, extra: str) -> tuple[str, ...]:
    return () if find_spec(library) else (f"pip install 'scenescore-classifier[{extra}]'",)


def architecture(name: str, *, models_dir: Path | None = None, device: str = "cpu") -> Architecture:
    """The architecture of that name. Frozen backbones compute on `device`; pulled ones lie in `models_dir`.

    Raises ModelError for an unknown name, for one whose extra is not installed, and for a backbone that has not
    been pulled.
    """
    if name in _BUILT_IN:
        return _BUILT_IN[name]()
    if name == SCENE:
        return Scene(models_dir, device)
    if name == MOBILENET:
        return MobileNets(models_dir)
    if name.startswith(TIMM):
        return TimmBackbone(name.removeprefix(TIMM))
    if name.startswith(CLIP):
        return Clip(name.removeprefix(CLIP), device)
    raise ModelError(f"There is no model named {name!r}: name one of {', '.join(NAMES)}.")
