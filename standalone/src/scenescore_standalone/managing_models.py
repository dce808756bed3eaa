"""`scenescore models list | pull`: which classifiers can be used, and backbones fetched on request."""

import argparse
import json
import sys

from scenescore_classifier.inference import SHIPPED_WEIGHTS
from scenescore_classifier.models.architecture import file_stem
from scenescore_classifier.models.backbone_files import MODELS_FOLDER, pull
from scenescore_classifier.models.registry import availability
from scenescore_standalone.settings import StandaloneSettings


def pull_backbones(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    """Fetches what `mobilenet` needs, from the network or from a folder, and prints where it lies."""
    for path in pull(settings.data_dir / MODELS_FOLDER, source=options.source):
        sys.stdout.write(f"{path}\n")
    return 0


def show(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    """Prints a line a model: whether its weights ship, and the commands that bring what is missing."""
    for item in availability(settings.data_dir / MODELS_FOLDER):
        shipped = (SHIPPED_WEIGHTS / f"{file_stem(item.name)}.safetensors").is_file()
        if options.json:
            line = json.dumps({"name": item.name, "weights_shipped": shipped, "missing": list(item.missing)})
        else:
            weights = "weights shipped" if shipped else "to be trained"
            state = f"missing: {'; '.join(item.missing)}" if item.missing else "ready"
            line = f"{item.name:20}  {weights:15}  {state}"
        sys.stdout.write(f"{line}\n")
    return 0
