"""`scenescore keys create | list | revoke`: the API's own command, on a database that is brought up to date first."""

import argparse

from scenescore_api import keys
from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.logs import configure_logging
from scenescore_shared.provision import provision
from scenescore_shared.wiring import build_api_keys, build_engine
from scenescore_standalone.settings import StandaloneSettings


def run(settings: StandaloneSettings, options: argparse.Namespace) -> int:
    configure_logging(settings.log, service="scenescore")
    provision(settings)
    engine = build_engine(settings, application="scenescore")
    try:
        keys.run(options, build_api_keys(engine), SystemClock())
    finally:
        engine.dispose()
    return 0
