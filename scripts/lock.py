"""Writes every lock of pinned versions: `make lock`.

The development lock is resolved first, over everything; each distribution's own lock holds the same versions
of just what it needs. Our own distributions are left out: they are installed from their folders.
"""

import re
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
DISTRIBUTIONS = {
    "scenescore-shared": "shared",
    "scenescore-api": "services/api",
    "scenescore-classifier": "services/classifier_worker",
    "scenescore-composer": "services/composer_worker",
    "scenescore-client": "client",
    "scenescore": "standalone",
}
DEVELOPMENT = ROOT / "requirements-dev.in"
# the one version that is tried; PyPI's and PyTorch's CPU build carry the same number
TORCH = "torch==2.13.0"
HEADER = "# Written by `make lock`. Our own distributions are installed from their folders.\n"


def requirements(name: str) -> set[str]:
    """What the distribution needs from elsewhere, its own relatives' needs included."""
    project = tomllib.loads((ROOT / DISTRIBUTIONS[name] / "pyproject.toml").read_text())["project"]
    found: set[str] = set()
    for requirement in project["dependencies"]:
        if requirement in DISTRIBUTIONS:
            found |= requirements(requirement)
        else:
            found.add(TORCH if requirement.startswith("torch") else requirement)
    return found


def resolve(needed: set[str], lock: Path, *, constraint: Path | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "requirements.in"
        lines = sorted(needed) + ([f"-c {constraint}"] if constraint else [])
        source.write_text("\n".join(lines) + "\n")
        result = Path(folder) / "requirements.lock"
        subprocess.run(
            [
                *(sys.executable, "-m", "piptools", "compile", str(source)),
                *("--output-file", str(result)),
                *("--strip-extras", "--no-annotate", "--no-header", "--quiet", "--allow-unsafe"),
                *("--no-emit-index-url", "--no-emit-find-links", "--no-emit-trusted-host"),
            ],
            check=True,
        )
        pins = [line for line in result.read_text().splitlines() if re.match(r"[A-Za-z0-9]", line)]
    # a local build's label names a file of one machine, not a version that others can get
    lock.write_text(HEADER + "".join(re.sub(r"\+\w+$", "", line) + "\n" for line in pins))
    sys.stdout.write(f"{lock.relative_to(ROOT)}: {len(pins)} packages\n")


def main() -> None:
    everything = set().union(*(requirements(name) for name in DISTRIBUTIONS))
    tools = {line for line in DEVELOPMENT.read_text().splitlines() if line and not line.startswith("#")}
    development = ROOT / "requirements-dev.lock"
    resolve(everything | tools, development, constraint=None)
    for name, folder in DISTRIBUTIONS.items():
        resolve(requirements(name), ROOT / folder / "requirements.lock", constraint=development)


if __name__ == "__main__":
    main()
