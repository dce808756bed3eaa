"""What the API does about webhooks, told without HTTP: secrets, the log of deliveries, replays."""

from dataclasses import dataclass
from functools import partial

from pydantic import SecretStr

from scenescore_api.callers import Caller
from scenescore_api.webhooks import schedule
from scenescore_api.webhooks.addresses import AddressRules, ForbiddenAddressError
from scenescore_api.webhooks.signing import derived, new_secret
from scenescore_shared.errors import IllegalMoveError, InvalidRequestError, NotFoundError
from scenescore_shared.logs import get_logger
from scenescore_shared.ports import Clock
from scenescore_shared.webhook_urls import parse_webhook_url
from scenescore_shared.webhooks import (
    NOBODY,
    Attempt,
    Delivery,
    DeliveryRepository,
    SecretRepository,
    WebhookSecret,
)

_log = get_logger(__name__)

MOST_SECRETS = 5
_ATTEMPTS_SHOWN = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookService:
    deliveries: DeliveryRepository
    secrets: SecretRepository
    clock: Clock
    key: SecretStr | None
    """None where the server has none: it then takes no webhooks."""
    rules: AddressRules

    def check(self, url: str, caller: Caller) -> None:
        """For the submission of a job. Raises InvalidRequestError where nothing could be sent there."""
        self._key()
        try:
            self.rules.check_url(parse_webhook_url(url))
        except (ValueError, ForbiddenAddressError) as error:
            reason = str(error).removesuffix(".")
            raise InvalidRequestError(f"The option webhook_url can't be used: {reason}.") from None
        if not self.secrets.live(_owner(caller)):
            raise InvalidRequestError(
                "Make a secret first (POST /v1/webhooks/secrets): webhooks are signed, and there is none to sign with."
            )

    def create_secret(self, caller: Caller) -> tuple[WebhookSecret, str]:
        """The secret's name and the secret. Raises IllegalMoveError where there are enough."""
        key = self._key()
        secret = new_secret(_owner(caller), self.clock.now())
        if not self.secrets.add(secret, at_most=MOST_SECRETS):
            raise IllegalMoveError(
                f"There are {MOST_SECRETS} webhook secrets already: revoke one that no receiver checks any more."
            )
        _log.info("webhook_secret_created", secret_id=secret.id)
        return secret, derived(key, secret)

    def live_secrets(self, caller: Caller) -> list[WebhookSecret]:
        return list(self.secrets.live(_owner(caller)))

    def revoke_secret(self, secret_id: str, caller: Caller) -> None:
        """Raises NotFoundError, also for somebody else's."""
        self.secrets.revoke(secret_id, owner=_owner(caller), now=self.clock.now())
        _log.info("webhook_secret_revoked", secret_id=secret_id)

    def log_of(self, job_id: str) -> list[tuple[Delivery, list[Attempt]]]:
        """The deliveries of a job that the caller may see, each with its last attempts."""
        return [self._with_attempts(delivery) for delivery in self.deliveries.of_job(job_id)]

    def replay(self, delivery_id: str, caller: Caller) -> tuple[Delivery, list[Attempt]]:
        """Raises NotFoundError, also for somebody else's, and IllegalMoveError in the middle of an attempt."""
        delivery = self.deliveries.get(delivery_id)
        if not caller.is_admin and delivery.owner != _owner(caller):
            raise NotFoundError(f"There is no webhook delivery {delivery_id[:64]!r}.")
        replayed = self.deliveries.update(delivery.id, partial(schedule.replay, now=self.clock.now()))
        _log.info("webhook_replayed", delivery_id=delivery.id, job_id=delivery.job_id)
        return self._with_attempts(replayed)

    def _with_attempts(self, delivery: Delivery) -> tuple[Delivery, list[Attempt]]:
        return delivery, self.deliveries.attempts(delivery.id, limit=_ATTEMPTS_SHOWN)

    def _key(self) -> SecretStr:
        if self.key is None:
            raise InvalidRequestError(
                "This server sends no webhooks: its operator has to set SCENESCORE_WEBHOOKS__SIGNING_KEY."
            )
        return self.key


def _owner(caller: Caller) -> str:
    return caller.owner or NOBODY
