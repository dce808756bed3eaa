"""Which models are at work: each worker tells through the object store, and the API reads it there.

So the API, which holds no model, names what really runs, also while workers of two versions do. A model's note is
renewed while a worker with it lives; a note that got old is of a model that is gone.
"""

import json
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta

from scenescore_shared.errors import NotFoundError, TransientError
from scenescore_shared.logs import get_logger
from scenescore_shared.ports import BlobStore, Clock

_log = get_logger(__name__)

FOLDER = "models/"
RENEWED_EVERY_SECONDS = 60.0
GONE_AFTER = timedelta(minutes=5)
"""Some renewals may fail, and the store's clock may differ a little from ours."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningModel:
    """`name` as in jobs' provenance; `version` of the software around it; `sha256` of the weights' file."""

    name: str
    version: str
    sha256: str


def note(model: RunningModel, step: str, blobs: BlobStore) -> None:
    """Writes that the model is at work on `step`. All workers with it share a note. May raise TransientError."""
    key = f"{FOLDER}{step}/{model.version}-{model.sha256}.json"
    blobs.put(key, json.dumps(asdict(model)).encode(), "application/json")


def noted(step: str, blobs: BlobStore, clock: Clock) -> Sequence[RunningModel]:
    """The models at work on `step`, by name. May raise TransientError."""
    oldest = clock.now() - GONE_AFTER
    found = []
    for blob in blobs.list(f"{FOLDER}{step}/"):
        if blob.modified_at >= oldest:
            try:
                found.append(RunningModel(**json.loads(blobs.get(blob.key))))
            except (NotFoundError, ValueError, TypeError) as error:
                _log.warning("strange_model_note", blob_key=blob.key, reason=str(error))
    return sorted(found, key=lambda model: (model.name, model.version))


def keep_noted(
    model: RunningModel, step: str, blobs: BlobStore, stopping: Callable[[], bool]
) -> threading.Thread:
    """Renews the note in a thread of its own, until the worker stops or its process ends."""

    def renew() -> None:
        pause = threading.Event()
        while not stopping():
            try:
                note(model, step, blobs)
            except TransientError as error:
                _log.warning("model_not_noted", reason=error.message)
            pause.wait(RENEWED_EVERY_SECONDS)

    thread = threading.Thread(target=renew, name="model-note", daemon=True)
    thread.start()
    return thread
