"""Celery on Redis or on files: the app's settings, and the publisher of wake-ups."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from celery import Celery

from scenescore_shared.adapters import file_transport
from scenescore_shared.contracts import QUEUES, TASK_NAMES, WakeUp
from scenescore_shared.errors import TransientError
from scenescore_shared.jobs import Step

TASK_SOFT_LIMIT_SECONDS = 540
TASK_HARD_LIMIT_SECONDS = 600
VISIBILITY_TIMEOUT_SECONDS = 2 * TASK_HARD_LIMIT_SECONDS
"""Above the hard limit: else Redis would hand out a second copy of a message whose task still runs."""

_FILE_POLLING_SECONDS = 0.05
"""kombu's default of a second would be most of a job's waiting."""


def make_celery(broker_url: str, *, name: str, producer_only: bool = False) -> Celery:
    """An app that sends and receives JSON only and trusts the database, not the broker, with every job.

    One that is `producer_only` gives up soon on a broker that is away or hangs; a worker's waits for it.
    """
    app = Celery(name, broker=_url_for_kombu(broker_url), set_as_current=False)
    app.conf.update(
        broker_transport_options=_transport_options(broker_url, producer_only=producer_only),
        broker_connection_timeout=2,
        # a worker outlives any outage of the broker's, also one at its own start
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        # acknowledged when done, one at a time: a lost machine's message comes back, nobody hoards
        task_acks_late=True,
        worker_prefetch_multiplier=1,
        # even at one, prefetch drifts and a pod hoards; only the Redis transport knows this switch
        worker_disable_prefetch=broker_url.startswith("redis"),
        # a killed child's message is done with: its job's lease runs out, and the row counts the attempt. A message
        # that came back would go round for ever (celery 9082)
        task_reject_on_worker_lost=False,
        task_acks_on_failure_or_timeout=True,
        # a broker that drops the connection takes no work away: the lease is in the database
        worker_cancel_long_running_tasks_on_connection_loss=False,
        # results live in the database
        task_ignore_result=True,
        # no pickle anywhere
        accept_content=["json"],
        task_serializer="json",
        task_soft_time_limit=TASK_SOFT_LIMIT_SECONDS,
        task_time_limit=TASK_HARD_LIMIT_SECONDS,
        task_routes={TASK_NAMES[step]: {"queue": QUEUES[step]} for step in Step},
        task_create_missing_queues=True,
        # a replacement child that loads a model for longer than the default 4 s would be killed, for ever
        worker_proc_alive_timeout=300,
        # at SIGQUIT: SIGTERM needs no limit, the engine hands its job back within a second (docs/adr/0101)
        worker_soft_shutdown_timeout=20,
        # each recycled child would load its model again
        worker_max_tasks_per_child=None,
        # liveness is the age of a file, not a remote-control answer
        worker_enable_remote_control=False,
        worker_send_task_events=False,
        worker_hijack_root_logger=False,
        worker_redirect_stdouts=False,
        timezone="UTC",
    )
    return app


class CeleryTaskPublisher:
    """Needs an app that is `producer_only`."""

    def __init__(self, app: Celery) -> None:
        self._app = app

    def wake(self, step: Step, wake_up: WakeUp) -> None:
        try:
            self._app.send_task(
                TASK_NAMES[step],
                kwargs={"payload": wake_up.to_payload()},
                queue=QUEUES[step],
                retry=False,
                # for logs only: left out, Celery makes up long ones
                argsrepr="",
                kwargsrepr=wake_up.job_id,
                ignore_result=True,
            )
        except Exception as error:
            # clients of brokers raise nearly anything, and no wake-up is worth a job that is already committed
            raise _not_answering(error) from error

    def ping(self) -> None:
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=2)
                connection.default_channel.queue_declare(queue=QUEUES[Step.CLASSIFY], passive=False)
        except Exception as error:
            raise _not_answering(error) from error


def _url_for_kombu(url: str) -> str:
    # the transport takes its folder from the options; without a host kombu warns
    return f"{file_transport.SCHEME}://localhost//" if url.startswith("filesystem:") else url


def _transport_options(url: str, *, producer_only: bool) -> dict[str, Any]:
    if url.startswith("filesystem:"):
        folder = Path(unquote(urlsplit(url).path))
        for name in ("messages", "control"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        return {
            "data_folder_in": str(folder / "messages"),
            "data_folder_out": str(folder / "messages"),
            "control_folder": str(folder / "control"),
            "polling_interval": _FILE_POLLING_SECONDS,
        }
    return {
        # the same in every app on the broker: the shortest would win
        "visibility_timeout": VISIBILITY_TIMEOUT_SECONDS,
        # without timeouts and checks a worker silently stops consuming after Redis drops it
        "socket_timeout": 1.5 if producer_only else 10,
        "socket_connect_timeout": 1.5 if producer_only else 5,
        "socket_keepalive": True,
        "retry_on_timeout": not producer_only,
        "health_check_interval": 25,
        # tries of a producer, after the first, before it tells the caller; a worker's consumer has its own
        "max_retries": 0 if producer_only else 3,
        "interval_start": 0.0,
        "interval_step": 0.1,
        "interval_max": 0.1,
    }


def _not_answering(error: Exception) -> TransientError:
    return TransientError(f"The broker did not answer as expected: {error}")
