"""Renders every overlay, alone and with each component, and holds it against the Kubernetes schemas, strictly.

    .venv/bin/python k8s/validate.py

Also checks that each SCENESCORE_ variable of the cluster, of docker-compose.yml, of the images and of docs/deploy.md
is a setting that a service knows: a misspelt one stops a container at its start. Exits 1 on a fault. Without
kustomize, or kubectl 1.27 or newer, it can render nothing, says so in a line `left out: …` and exits 0.
"""

import importlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import kubernetes_validate
import yaml  # type: ignore[import-untyped]

from scenescore_shared.settings import PREFIX, SERVICE_GROUPS, CommonSettings, Group

KUBERNETES_VERSION = "1.35"
OLDEST_KUBECTL = (1, 27)
"""The first whose kustomize knows all that the overlays use."""

ROOT = Path(__file__).resolve().parent.parent
CRD_GROUPS = frozenset({"keda.sh"})
"""Kinds that clusters learn from add-ons. Kubernetes' own schemas do not have them, so they are only counted."""

SETTINGS_MODULES = (
    "scenescore_api.settings",
    "scenescore_classifier.settings",
    "scenescore_composer.settings",
)
FILES_WITH_SETTINGS = (
    "docker-compose.yml",
    "docs/deploy.md",
    "k8s/overlays/dev/secrets.sh",
    "services/api/Dockerfile",
    "services/classifier_worker/Dockerfile",
    "services/composer_worker/Dockerfile",
)

Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Target:
    """An overlay, as it is or with a component switched on."""

    overlay: str
    component: str | None = None

    def __str__(self) -> str:
        return f"k8s/overlays/{self.overlay}" + (f" + {self.component}" if self.component else "")


@dataclass(kw_only=True)
class Known:
    """Every variable that some service reads; of `unseen` groups nothing is known but their names."""

    variables: set[str] = field(default_factory=set)
    unseen: set[str] = field(default_factory=set)

    def __contains__(self, variable: str) -> bool:
        group = variable.removeprefix(PREFIX).split("__")[0].lower()
        return variable in self.variables or group in self.unseen


def find_renderer() -> list[str] | None:
    if kustomize := shutil.which("kustomize"):
        return [kustomize, "build"]
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        return None
    said = subprocess.run(
        [kubectl, "version", "--client", "--output=json"], capture_output=True, text=True, check=False
    )
    try:
        version = json.loads(said.stdout)["clientVersion"]["gitVersion"]
    except (json.JSONDecodeError, KeyError):
        return None
    found = re.match(r"v(\d+)\.(\d+)", version)
    new_enough = found is not None and (int(found[1]), int(found[2])) >= OLDEST_KUBECTL
    return [kubectl, "kustomize"] if new_enough else None


def targets() -> Iterator[Target]:
    """Each overlay; and what is meant for production, in production."""
    for folder in sorted((ROOT / "k8s/overlays").iterdir()):
        yield Target(overlay=folder.name)
    for folder in sorted((ROOT / "k8s/components").iterdir()):
        yield Target(overlay="production", component=folder.name)


def render(renderer: Sequence[str], target: Target) -> str:
    """The manifests as one stream of YAML. Raises RuntimeError with the renderer's own words."""
    with tempfile.TemporaryDirectory() as scratch:
        # a copy, to switch the component on as its users would: in the overlay's own list
        tree = Path(scratch) / "k8s"
        shutil.copytree(ROOT / "k8s", tree)
        folder = tree / "overlays" / target.overlay
        if target.component is not None:
            path = folder / "kustomization.yaml"
            kustomization = yaml.safe_load(path.read_text(encoding="utf-8"))
            kustomization["components"] = [f"../../components/{target.component}"]
            path.write_text(yaml.safe_dump(kustomization), encoding="utf-8")
        done = subprocess.run([*renderer, str(folder)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"cannot be rendered: {done.stderr.strip()}")
    return done.stdout


def parse(stream: str) -> list[Manifest]:
    return [document for document in yaml.safe_load_all(stream) if document]


def schema_faults(manifests: Sequence[Manifest]) -> Iterator[str]:
    for manifest in manifests:
        if is_custom(manifest):
            continue
        name = f"{manifest['kind']} {manifest['metadata']['name']}"
        try:
            kubernetes_validate.validate(manifest, KUBERNETES_VERSION, strict=True)
        except kubernetes_validate.ValidationError as error:
            where = ".".join(str(part) for part in error.path)
            yield f"{name}: {where}: {error.message}"
        except kubernetes_validate.SchemaNotFoundError as error:
            yield f"{name}: {error.message}"


def door_faults(manifests: Sequence[Manifest]) -> Iterator[str]:
    """An API that listens to others than its own pod must ask them for a key: it would not start otherwise."""
    for manifest in manifests:
        pod = manifest.get("spec", {}).get("template", {}).get("spec", {})
        for container in pod.get("containers", []):
            given = {variable["name"]: variable.get("value") for variable in container.get("env", [])}
            open_to_others = not str(given.get(f"{PREFIX}API__HOST", "127.")).startswith("127.")
            if open_to_others and given.get(f"{PREFIX}API__REQUIRE_KEYS") != "true":
                yield f"{manifest['kind']} {manifest['metadata']['name']}: listens to others and asks for no key"


def is_custom(manifest: Manifest) -> bool:
    return str(manifest["apiVersion"]).split("/")[0] in CRD_GROUPS


def known_settings() -> Known:
    known = Known(unseen=set(SERVICE_GROUPS))
    classes: list[type[CommonSettings]] = [CommonSettings]
    for name in SETTINGS_MODULES:
        try:
            module = importlib.import_module(name)
        except ModuleNotFoundError:
            # a service that is not installed here: its group passes unread
            continue
        classes += [
            value
            for value in vars(module).values()
            if isinstance(value, type) and issubclass(value, CommonSettings)
        ]
    for settings in classes:
        for group, described in settings.model_fields.items():
            kind = described.annotation
            if isinstance(kind, type) and issubclass(kind, Group):
                known.unseen.discard(group)
                known.variables |= {f"{PREFIX}{group}__{name}".upper() for name in kind.model_fields}
            else:
                known.variables.add(f"{PREFIX}{group}".upper())
    return known


def setting_faults(text: str, known: Known) -> Iterator[str]:
    for variable in sorted(set(re.findall(rf"\b{PREFIX}[A-Z0-9_]+", text))):
        if variable not in known:
            yield f"{variable} is no setting of any service"


def check_target(renderer: Sequence[str], target: Target, known: Known) -> list[str]:
    """Prints one line when all is well; else returns the faults."""
    try:
        stream = render(renderer, target)
    except RuntimeError as error:
        return [str(error)]
    manifests = parse(stream)
    faults = [*schema_faults(manifests), *door_faults(manifests), *setting_faults(stream, known)]
    if not faults:
        custom = sum(is_custom(manifest) for manifest in manifests)
        aside = f"; {custom} of add-ons, for which there is no schema" if custom else ""
        print(
            f"{target}: {len(manifests) - custom} resources valid for Kubernetes {KUBERNETES_VERSION}{aside}"
        )
    return faults


def main() -> int:
    known = known_settings()
    faults: list[str] = []
    for name in FILES_WITH_SETTINGS:
        text = (ROOT / name).read_text(encoding="utf-8")
        faults += [f"{name}: {fault}" for fault in setting_faults(text, known)]
    if known.unseen:
        print(
            f"settings of {', '.join(sorted(known.unseen))}: names not checked, the service is not installed"
        )
    renderer = find_renderer()
    if renderer is None:
        oldest = ".".join(str(part) for part in OLDEST_KUBECTL)
        print(f"left out: rendering k8s/overlays, which needs kustomize or kubectl {oldest} or newer")
    else:
        for target in targets():
            faults += [f"{target}: {fault}" for fault in check_target(renderer, target, known)]
    for fault in faults:
        print(f"fault: {fault}", file=sys.stderr)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
