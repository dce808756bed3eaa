"""`scenescore up`: the API, the sweeper, the deliverer and the workers as processes of this machine, watched over."""

import argparse
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from scenescore_api.loopback import NEEDS_KEYS, is_loopback
from scenescore_api.webhooks.signing import signing_key
from scenescore_shared.adapters.sql.locks import file_lock
from scenescore_shared.errors import PermanentError
from scenescore_shared.logs import get_logger
from scenescore_shared.stopping import StopFlag
from scenescore_standalone.embedded import opened
from scenescore_standalone.settings import StandaloneSettings

_log = get_logger(__name__)

_MODULES = (
    "scenescore_api",
    "scenescore_api.sweeper",
    "scenescore_classifier.worker",
    "scenescore_composer.worker",
)
_USAGE = 2
_DELIVERER = "scenescore_api.webhooks"
_RENDERER = "scenescore_composer.rendering.worker"
_STOP_SECONDS = 30.0
_LONGEST_RESTART_WAIT = 30.0
_STEADY_SECONDS = 60.0
_START_SECONDS = 60.0


def run(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    """Runs until SIGINT or SIGTERM. Builds the starter corpus first where there is none."""
    if not (settings.api.require_keys or is_loopback(settings.api.host)):
        sys.stderr.write(f"scenescore: {NEEDS_KEYS.format(host=settings.api.host or 'every address')}\n")
        return _USAGE
    port = options.port or settings.api.port
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    with file_lock(settings.data_dir / "up.lock") as mine:
        if not mine:
            raise PermanentError(
                f"another `scenescore up` is using {settings.data_dir}: stop it, or name another --data-dir"
            )
        _check_port(settings.api.host, port)
        with opened(settings) as corpora:
            corpora.make_usable()
        environment = {
            **os.environ,
            "SCENESCORE_DATA_DIR": str(settings.data_dir.absolute()),
            "SCENESCORE_API__PORT": str(port),
        }
        _watch(
            [_Child(module, environment) for module in _modules(settings)],
            settings,
            f"http://{settings.api.host}:{port}",
        )
    return 0


def _modules(settings: StandaloneSettings) -> tuple[str, ...]:
    modules = (*_MODULES, _RENDERER) if settings.render.enabled else _MODULES
    # without a key to sign with, as on a PostgreSQL of one's own where none is set, nothing is ever to deliver
    return (*modules, _DELIVERER) if signing_key(settings) is not None else modules


@dataclass
class _Child:
    """One process, started again when it ends by itself: at once the first time, then ever more slowly."""

    module: str
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    started: float = 0.0
    failures: int = 0
    _start_at: float = field(default=0.0)

    def keep_running(self) -> None:
        if self.process is not None and self.process.poll() is not None:
            steady = time.monotonic() - self.started > _STEADY_SECONDS
            self.failures = 1 if steady else self.failures + 1
            wait = min(_LONGEST_RESTART_WAIT, 2.0 ** (self.failures - 1))
            _log.error("process_ended", module=self.module, status=self.process.returncode, again_in=wait)
            self._start_at = time.monotonic() + wait
            self.process = None
        if self.process is None and time.monotonic() >= self._start_at:
            self.started = time.monotonic()
            # a session of its own: Ctrl-C reaches the supervisor only, which then stops all in order
            self.process = subprocess.Popen(  # noqa: S603 - our own modules, no input of anybody's
                [sys.executable, "-m", "scenescore_standalone.child", self.module],
                env=self.environment,
                stdin=subprocess.PIPE,
                start_new_session=True,
            )

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)

    def wait(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            _log.warning("process_killed", module=self.module)
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def _watch(children: list[_Child], settings: StandaloneSettings, url: str) -> None:
    stop = StopFlag()
    stop.listen()
    for file in _ready_files(settings):
        # of an earlier run that was killed
        file.unlink(missing_ok=True)
    threading.Thread(target=_announce, args=(settings, url, stop), daemon=True).start()
    try:
        while not stop.wait(0.5):
            for child in children:
                child.keep_running()
    finally:
        deadline = time.monotonic() + _STOP_SECONDS
        for child in children:
            child.stop()
        for child in children:
            child.wait(deadline)


def _announce(settings: StandaloneSettings, url: str, stop: StopFlag) -> None:
    """Says that all is up as soon as it is: the API answers and the workers hold their models."""
    patience = time.monotonic() + _START_SECONDS
    while not stop.wait(0.2):
        if all(file.exists() for file in _ready_files(settings)) and _answers(f"{url}/readyz"):
            sys.stdout.write(
                f"Scenescore is up at {url} (its API is described at {url}/docs). Ctrl-C stops it.\n"
            )
            sys.stdout.flush()
            return
        if time.monotonic() > patience:
            sys.stderr.write("Scenescore is still starting; the lines above say what holds it up.\n")
            patience = float("inf")


def _ready_files(settings: StandaloneSettings) -> list[Path]:
    folders = [settings.classifier_state_dir, settings.composer_state_dir]
    if settings.render.enabled:
        folders.append(settings.render_state_dir)
    return [folder / "ready" for folder in folders]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return True
    except (urllib.error.URLError, OSError):
        return False


def _check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PermanentError(
                f"can't listen on {host}, port {port} ({error.strerror}): name another with --port"
            ) from None
