"""The ports of webhooks in memory. The in-memory repository of jobs fills the outbox as the real one does."""

import threading
from collections.abc import Iterable
from datetime import UTC, datetime

from scenescore_shared.errors import NotFoundError
from scenescore_shared.webhooks import Attempt, Delivery, DeliveryChange, WebhookSecret


class InMemoryDeliveryRepository:
    def __init__(self) -> None:
        self._deliveries: dict[str, Delivery] = {}
        self._attempts: dict[str, list[Attempt]] = {}
        self._lock = threading.RLock()

    def insert(self, deliveries: Iterable[Delivery]) -> None:
        """For the repository of jobs, as it ends one."""
        with self._lock:
            self._deliveries |= {delivery.id: delivery for delivery in deliveries}

    def forget_job(self, job_id: str) -> None:
        """For the repository of jobs, as it deletes one."""
        with self._lock:
            for delivery in self.of_job(job_id):
                del self._deliveries[delivery.id]
                self._attempts.pop(delivery.id, None)

    def get(self, delivery_id: str) -> Delivery:
        with self._lock:
            try:
                return self._deliveries[delivery_id]
            except KeyError:
                raise NotFoundError(f"There is no webhook delivery {delivery_id[:64]!r}.") from None

    def claim(self, limit: int, now: datetime, change: DeliveryChange) -> list[Delivery]:
        with self._lock:
            due = [
                each for each in self._deliveries.values() if each.due_at is not None and each.due_at <= now
            ]
            due.sort(key=lambda each: each.due_at or datetime.max.replace(tzinfo=UTC))
            return [self.update(each.id, change) for each in due[:limit]]

    def update(self, delivery_id: str, change: DeliveryChange) -> Delivery:
        with self._lock:
            moved = change(self.get(delivery_id))
            self._deliveries[delivery_id] = moved.delivery
            if moved.attempt is not None:
                self._attempts.setdefault(delivery_id, []).append(moved.attempt)
            return moved.delivery

    def of_job(self, job_id: str) -> list[Delivery]:
        with self._lock:
            found = [each for each in self._deliveries.values() if each.job_id == job_id]
        return sorted(found, key=lambda each: each.created_at)

    def attempts(self, delivery_id: str, *, limit: int) -> list[Attempt]:
        with self._lock:
            return self._attempts.get(delivery_id, [])[-limit:]


class InMemorySecretRepository:
    def __init__(self) -> None:
        self._live: dict[str, WebhookSecret] = {}
        self._lock = threading.Lock()

    def add(self, secret: WebhookSecret, *, at_most: int) -> bool:
        with self._lock:
            if len(self.live(secret.owner)) >= at_most:
                return False
            self._live[secret.id] = secret
        return True

    def live(self, owner: str) -> list[WebhookSecret]:
        found = [secret for secret in self._live.values() if secret.owner == owner]
        return sorted(found, key=lambda secret: secret.created_at, reverse=True)

    def revoke(self, secret_id: str, *, owner: str, now: datetime) -> None:
        with self._lock:
            if secret_id not in self._live or self._live[secret_id].owner != owner:
                raise NotFoundError(f"There is no webhook secret {secret_id[:64]!r}.")
            del self._live[secret_id]
