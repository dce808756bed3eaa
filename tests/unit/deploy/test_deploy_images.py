"""What the Dockerfiles promise: small, unprivileged, the API without torch, torch for the CPU unless asked."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
API = ROOT / "services/api/Dockerfile"
WORKERS = [ROOT / "services" / name / "Dockerfile" for name in ("classifier_worker", "composer_worker")]
COMPOSER = WORKERS[1]
ALL = [API, *WORKERS]


def instructions(path: Path) -> list[list[str]]:
    """The instructions of each stage, comments gone and continued lines joined."""
    text = re.sub(r"^\s*#.*\n", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE)
    stages: list[list[str]] = [[]]
    for line in re.sub(r"\\\n", " ", text).splitlines():
        if line.startswith("FROM "):
            stages.append([])
        if line.strip():
            stages[-1].append(" ".join(line.split()))
    return stages[1:]


def name(path: Path) -> str:
    return path.parent.name


@pytest.mark.parametrize("path", ALL, ids=name)
def test_the_final_stage_runs_as_a_numbered_user_that_is_not_root(path: Path) -> None:
    final = instructions(path)[-1]
    users = [line.removeprefix("USER ") for line in final if line.startswith("USER ")]
    assert users == ["10001:10001"]
    commands = [index for index, line in enumerate(final) if line.startswith(("CMD", "ENTRYPOINT"))]
    assert final.index("USER 10001:10001") < min(commands)


@pytest.mark.parametrize("path", ALL, ids=name)
def test_the_final_stage_installs_nothing_and_takes_only_the_environment(path: Path) -> None:
    final = instructions(path)[-1]
    assert [line for line in final if line.startswith(("COPY", "ADD"))] == [
        "COPY --from=build /opt/scenescore /opt/scenescore"
    ]
    assert not [line for line in final if "pip " in line]
    # the system's packages are for sound alone, and come before the user that could not install them
    installed = [line for line in final if "apt-get" in line]
    assert len(installed) == (name(path) == "composer_worker")


def test_the_image_that_renders_holds_a_synthesiser_and_a_soundfont() -> None:
    (line,) = [line for line in instructions(COMPOSER)[-1] if "apt-get install" in line]
    assert "--no-install-recommends fluidsynth fluid-soundfont-gm" in line
    final = instructions(COMPOSER)[-1]
    assert final.index(line) < final.index("USER 10001:10001")


@pytest.mark.parametrize("path", ALL, ids=name)
def test_the_base_image_is_pinned(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert re.search(r"^ARG PYTHON_IMAGE=python:3\.\d+\.\d+-slim", text, flags=re.MULTILINE)
    assert {line for stage in instructions(path) for line in stage if line.startswith("FROM")} == {
        "FROM ${PYTHON_IMAGE} AS build",
        "FROM ${PYTHON_IMAGE}",
    }


@pytest.mark.parametrize("path", ALL, ids=name)
def test_packages_come_from_the_lock_and_ours_bring_none_of_their_own(path: Path) -> None:
    build = "\n".join(instructions(path)[0])
    folder = path.parent.relative_to(ROOT)
    assert f"COPY {folder}/requirements.lock ./" in build
    assert "install -r requirements.lock" in build
    assert f"install --no-deps ./shared ./{folder}" in build


@pytest.mark.parametrize("path", ALL, ids=name)
def test_the_command_starts_our_own_process_without_a_shell(path: Path) -> None:
    module = {"api": "scenescore_api", "classifier_worker": "scenescore_classifier.worker"}.get(
        name(path), "scenescore_composer.worker"
    )
    assert f'CMD ["python", "-m", "{module}"]' in instructions(path)[-1]


def test_the_api_listens_on_every_address_and_asks_for_keys() -> None:
    environment = " ".join(line for line in instructions(API)[-1] if line.startswith("ENV "))
    assert "SCENESCORE_API__HOST=0.0.0.0" in environment
    assert "SCENESCORE_API__REQUIRE_KEYS=true" in environment


def test_the_api_has_no_torch_and_no_worker() -> None:
    text = API.read_text(encoding="utf-8").lower()
    for word in ("torch", "classifier", "composer", "standalone"):
        assert word not in text


@pytest.mark.parametrize("path", WORKERS, ids=name)
def test_torch_is_for_the_cpu_unless_an_argument_says_otherwise(path: Path) -> None:
    build = instructions(path)[0]
    assert "ARG TORCH_INDEX_URL=https://download.pytorch.org/whl/cpu" in build
    alone = [line for line in build if "TORCH_INDEX_URL" in line and line.startswith("RUN")]
    assert len(alone) == 1
    # the extra index gives torch only, and the version is the lock's
    assert "--no-deps" in alone[0]
    assert "^torch==" in alone[0]


@pytest.mark.parametrize("path", ALL, ids=name)
def test_the_lock_pins_every_package_and_none_of_ours(path: Path) -> None:
    lock = path.parent / "requirements.lock"
    if not lock.exists():
        pytest.skip(f"{lock.relative_to(ROOT)} is not there yet: it comes with the distribution")
    lines = [line.split("#")[0].strip() for line in lock.read_text(encoding="utf-8").splitlines()]
    pins = [line for line in lines if line and not line.startswith("-")]
    assert pins
    for pin in pins:
        # exactly one version; no local one such as +cpu, which PyPI does not have; no hashes, which would shut out
        # the libraries that a CUDA build of torch brings
        assert re.fullmatch(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==[^+\s;]+( ?;.*)?", pin), pin
        assert not pin.startswith("scenescore")
    assert any(pin.startswith("torch==") for pin in pins) == (path != API)


def test_only_sources_go_to_the_builder() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    assert [rule for rule in rules if rule.startswith("!")] == ["!shared", "!services"]
