"""`python -m scenescore_api.webhooks`: sends what the outbox holds, by schedule, until it is told to stop."""

import logging
import sys
from importlib.metadata import version

from scenescore_api.settings import ApiSettings
from scenescore_api.webhooks.addresses import AddressRules
from scenescore_api.webhooks.deliverer import Deliverer, run
from scenescore_api.webhooks.sender import Sender
from scenescore_api.webhooks.signing import signing_key
from scenescore_shared.logs import configure_logging
from scenescore_shared.stopping import StopFlag
from scenescore_shared.wiring import (
    build_clock,
    build_delivery_repository,
    build_engine,
    build_secret_repository,
)


def main() -> None:
    settings = ApiSettings()
    configure_logging(settings.log, service="webhooks")
    # it would log whole URLs, which are often secrets themselves
    logging.getLogger("urllib3").setLevel(logging.ERROR)
    key = signing_key(settings)
    if key is None:
        sys.exit("set SCENESCORE_WEBHOOKS__SIGNING_KEY, the same as the API's: webhooks are signed")
    stop = StopFlag()
    stop.listen()
    engine = build_engine(settings, application="scenescore-webhooks")
    sender = Sender(
        rules=AddressRules(allowed=settings.webhooks.allowed_networks),
        timeout_seconds=settings.webhooks.timeout_seconds,
        user_agent=f"Scenescore/{version('scenescore-api')}",
    )
    deliverer = Deliverer(
        deliveries=build_delivery_repository(engine),
        secrets=build_secret_repository(engine),
        key=key,
        send=sender.send,
        clock=build_clock(engine),
        settings=settings.webhooks,
    )
    run(deliverer, stop, settings.webhooks_state_dir / "alive")
    engine.dispose()


if __name__ == "__main__":
    main()
