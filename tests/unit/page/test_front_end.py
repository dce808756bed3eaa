"""The page's own checks, where Node is installed, and whether what is shipped was built from what is here."""

import hashlib
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from scenescore_shared.general_midi import NAMES

ROOT = Path(__file__).resolve().parents[3]
WEB = ROOT / "services/api/web"
STATIC = ROOT / "services/api/src/scenescore_api/page/static"
BUILD = "run `npm ci && npm run build` in services/api/web and commit what it writes"
_SOURCES = ("index.html", "package-lock.json", "package.json", "tsconfig.json", "vite.config.ts")


@pytest.fixture(scope="module")
def web() -> Path:
    """The front end with its packages. Skips without Node, or where they are not there and can't be had."""
    if shutil.which("npm") is None:
        pytest.skip("the page's own checks: Node is not installed")
    lock = WEB / "package-lock.json"
    installed = WEB / "node_modules/.package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        fetched = _run(["npm", "ci", "--no-audit", "--no-fund"], WEB)
        if fetched.returncode:
            if os.environ.get("TESTS_REQUIRE_SERVERS"):
                pytest.fail(fetched.stdout[-2000:])
            pytest.skip("the page's own checks: its packages could not be installed")
    return WEB


def _run(command: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
        timeout=240,
    )


def test_the_page_that_is_shipped_was_built_from_these_sources() -> None:
    """As vite.config.ts counts them: no Node needed."""
    found = [WEB / name for name in _SOURCES] + [path for path in (WEB / "src").rglob("*") if path.is_file()]
    digest = hashlib.sha256()
    for name in sorted(path.relative_to(WEB).as_posix() for path in found):
        digest.update(f"{name}\n".encode() + (WEB / name).read_bytes())
    assert (STATIC / "built-from.sha256").read_text().strip() == digest.hexdigest(), BUILD


def test_a_fresh_build_is_what_is_shipped(web: Path, tmp_path: Path) -> None:
    built = _run(["npx", "vite", "build", "--outDir", str(tmp_path / "built"), "--logLevel", "warn"], web)
    assert built.returncode == 0, built.stdout
    fresh, shipped = (
        {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file()
        }
        for folder in (tmp_path / "built", STATIC)
    )
    assert fresh.keys() == shipped.keys(), BUILD
    assert [name for name in fresh if fresh[name] != shipped[name]] == [], BUILD


@pytest.mark.parametrize("script", ["check", "test"])
def test_its_types_style_and_units(web: Path, script: str) -> None:
    done = _run(["npm", "run", "--silent", script], web)
    assert done.returncode == 0, done.stdout[-4000:]


def test_every_instrument_that_it_offers_is_one() -> None:
    text = (WEB / "src/domain/settings.ts").read_text(encoding="utf-8")
    listed = re.search(r"INSTRUMENTS = \[(.*?)\]", text, flags=re.DOTALL)
    assert listed is not None
    names = re.findall(r'"([^"]+)"', listed[1])
    assert len(names) >= 20
    assert set(names) <= set(NAMES)


def test_nothing_is_told_where_packages_came_from() -> None:
    assert "resolved" not in (WEB / "package-lock.json").read_text(encoding="utf-8")
