"""Claims due deliveries and sends them, several at once. Any number of deliverers may run."""

import random
import time
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from uuid import uuid4

from pydantic import SecretStr

from scenescore_api.settings import WebhooksGroup
from scenescore_api.webhooks import schedule
from scenescore_api.webhooks.schedule import Answer
from scenescore_api.webhooks.signing import signed_headers
from scenescore_shared.errors import IllegalMoveError, NotFoundError, TransientError
from scenescore_shared.logs import get_logger, log_context
from scenescore_shared.ports import Clock
from scenescore_shared.stopping import StopFlag
from scenescore_shared.webhook_urls import WebhookUrl, parse_webhook_url
from scenescore_shared.webhooks import Delivery, DeliveryRepository, DeliveryStatus, Moved, SecretRepository

_log = get_logger(__name__)

_AGAIN_SECONDS = 0.5

Send = Callable[[WebhookUrl, bytes, Mapping[str, str]], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer:
    deliveries: DeliveryRepository
    secrets: SecretRepository
    key: SecretStr
    send: Send
    clock: Clock
    settings: WebhooksGroup

    def claim(self, limit: int) -> list[Delivery]:
        """At most `limit` due deliveries, now in these hands. Raises TransientError."""
        now = self.clock.now()
        lease = timedelta(seconds=self.settings.lease_seconds)

        def change(delivery: Delivery) -> Moved:
            return schedule.claim(delivery, now=now, token=uuid4().hex, lease=lease)

        claimed = self.deliveries.claim(limit, now, change)
        return [delivery for delivery in claimed if delivery.status is DeliveryStatus.PENDING]

    def deliver(self, delivery: Delivery) -> None:
        """One attempt at a claimed delivery, put on record. Never raises: what fails here is tried again."""
        with log_context(delivery_id=delivery.id, job_id=delivery.job_id):
            try:
                started = self.clock.now()
                answer = self._attempt(delivery, started)
                self._record(delivery, answer, started)
            except Exception as error:  # noqa: BLE001 - a thread has nobody to raise to; the lease runs out
                _log.error("webhook_attempt_crashed", exc_info=error)

    def _attempt(self, delivery: Delivery, now: datetime) -> Answer:
        try:
            secrets = self.secrets.live(delivery.owner)
        except TransientError:
            return Answer(error="A part of Scenescore did not answer.")
        if not secrets:
            return Answer(
                error="There is no webhook secret to sign with: make one (POST /v1/webhooks/secrets), then replay.",
                final=True,
            )
        headers = signed_headers(delivery, self.key, secrets, now)
        return self.send(parse_webhook_url(delivery.url), delivery.body.encode(), headers)

    def _record(self, delivery: Delivery, answer: Answer, started: datetime) -> None:
        move = partial(
            schedule.record,
            answer=answer,
            started=started,
            now=self.clock.now(),
            token=delivery.lease_token or "",
            jitter=random.random(),
        )
        try:
            after = self._insist(partial(self.deliveries.update, delivery.id, move), until=delivery.due_at)
        except NotFoundError:
            _log.info("webhook_forgotten", reason="its job was deleted")
        except IllegalMoveError:
            _log.warning("webhook_lease_lost")
        except TransientError as error:
            _log.warning("webhook_result_lost", reason=error.message)
        else:
            _log.info(
                "webhook_attempted",
                attempt=after.attempts,
                status_code=answer.status_code,
                reason=answer.error,
                outcome=after.status,
            )

    def _insist(self, write: Callable[[], Delivery], *, until: datetime | None) -> Delivery:
        """Outlasts a database that is away for a moment: a result that is not written is a message sent twice."""
        while True:
            try:
                return write()
            except TransientError:
                if until is None or self.clock.now() >= until - timedelta(seconds=_AGAIN_SECONDS):
                    raise
                time.sleep(_AGAIN_SECONDS)


def run(deliverer: Deliverer, stop: StopFlag, alive_file: Path) -> None:
    """Delivers until `stop` is set, then ends the attempts in hand, which takes no longer than their timeout."""
    settings = deliverer.settings
    alive_file.parent.mkdir(parents=True, exist_ok=True)
    in_hand: set[Future[None]] = set()
    with ThreadPoolExecutor(settings.concurrency, thread_name_prefix="webhook") as pool:
        while not stop.is_set:
            alive_file.touch()
            claimed: list[Delivery] = []
            try:
                # never more than can be sent at once: a lease must not run out in a queue
                if len(in_hand) < settings.concurrency:
                    claimed = deliverer.claim(settings.concurrency - len(in_hand))
            except TransientError as error:
                _log.warning("webhook_claim_failed", reason=error.message)
            in_hand |= {pool.submit(deliverer.deliver, delivery) for delivery in claimed}
            in_hand = _paused(in_hand, stop, settings, busy=bool(claimed))
    alive_file.unlink(missing_ok=True)


def _paused(
    in_hand: set[Future[None]], stop: StopFlag, settings: WebhooksGroup, *, busy: bool
) -> set[Future[None]]:
    """Waits a round's time, or just for a free hand where there is more to do. Returns what is still in hand."""
    if len(in_hand) >= settings.concurrency:
        return wait(in_hand, timeout=settings.interval_seconds, return_when=FIRST_COMPLETED).not_done
    if not busy:
        stop.wait(settings.interval_seconds)
    return {future for future in in_hand if not future.done()}
