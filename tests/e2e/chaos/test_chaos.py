"""Hundreds of jobs under every fault, in turn and then all together: none is lost, none is done twice.

`make chaos JOBS=2000` is the long form; CHAOS_SEED repeats the choices of a run (not its timing).
"""

import hashlib
import io
import os
import random
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass

import pytest
from miditoolkit import MidiFile
from samples.persistent import PersistentClient
from samples.small import small_options, small_picture
from servers.crew import Crew, until
from servers.faults import ROUND_SECONDS, Faults
from servers.truth import named_keys

from scenescore_api.settings import RetentionGroup
from scenescore_api.sweeping.orphans import OrphanSweep
from scenescore_shared.adapters.clock import SystemClock
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.fakes import FakeClock
from scenescore_shared.wiring import build_blob_index

JOBS = int(os.environ.get("CHAOS_JOBS", "200"))
JOBS_A_ROUND = 200
ROUNDS = max(1, round(JOBS / JOBS_A_ROUND))
SEED = int(os.environ.get("CHAOS_SEED", random.SystemRandom().randrange(10**6)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    ended: int
    """Rows of jobs that have ended, those whose 202 was lost on its way included."""
    lost: set[str]
    """Accepted, and not `succeeded` with music that can be fetched."""
    doubled: set[str]
    """Ended more than once, with more than one set of outputs or with another's, or the second of one submission."""
    unnamed: set[str]
    """Keys of files that no row names."""


@pytest.mark.timeout(300 + 600 * ROUNDS)
def test_under_every_fault_no_job_is_lost_and_none_is_done_twice(
    make_crew: Callable[..., Crew], say: Callable[[str], None]
) -> None:
    started = time.monotonic()
    # no job may end for having been tried too often
    crew = make_crew(SCENESCORE_JOBS__MAX_ATTEMPTS="1000", SCENESCORE_JOBS__LEASE_SECONDS="3")
    faults = Faults(crew, seed=SEED)
    urls = [crew.stack.url_of(name) for name in crew.start()]
    with closing(crew), closing(PersistentClient(urls)) as client:
        with ThreadPoolExecutor(8) as pool:
            pace = ROUNDS * ROUND_SECONDS / JOBS
            begun = time.monotonic()
            submitted = [
                pool.submit(_submit, client, number, begun + number * pace) for number in range(JOBS)
            ]
            for _ in range(ROUNDS):
                faults.round()
            crew.mend()
            for done in submitted:
                done.result()
        accepted = {*client.accepted, *faults.unanswered}
        until(lambda: crew.truth.unfinished() == 0, seconds=60 + JOBS)
        swept = _sweep_orphans(crew)
        verdict = _judge(crew, accepted)
    struck = ", ".join(f"{count} {what}" for what, count in faults.struck.items())
    say(
        f"chaos, seed {SEED}: {len(client.accepted)} accepted, {len(faults.unanswered)} committed by an API that "
        f"died before its answer, {verdict.ended} ended, {len(verdict.lost)} lost, {len(verdict.doubled)} doubled, "
        f"{swept} orphans swept, {len(verdict.unnamed)} left; {client.retries} submissions tried again; {struck}; "
        f"{time.monotonic() - started:.0f} s"
    )
    assert len(client.accepted) == JOBS
    assert faults.unanswered
    assert verdict.lost == set()
    assert verdict.doubled == set()
    assert verdict.unnamed == set()


def _submit(client: PersistentClient, number: int, at: float) -> None:
    time.sleep(max(0.0, at - time.monotonic()))
    picture = number % 3 != 0
    client.submit(
        f"chaos-{SEED}-{number}", small_picture(number) if picture else None, small_options(picture=picture)
    )


def _sweep_orphans(crew: Crew) -> int:
    """What killed processes left in the store, and what nobody committed. Now, as if its grace had passed."""
    engine = make_engine(crew.stack.environment["SCENESCORE_DATABASE__URL"], application="chaos")
    settings = RetentionGroup()
    later = FakeClock(SystemClock().now() + 2 * settings.orphan_grace)
    sweep = OrphanSweep(
        blobs=crew.truth.blobs,
        index=build_blob_index(engine),
        clock=later,
        settings=settings,
        keys_a_round=100_000,
    )
    removed = sweep.round()
    engine.dispose()
    return removed


def _judge(crew: Crew, accepted: set[str]) -> Verdict:
    rows = {str(row["id"]): row for row in crew.truth.jobs()}
    statuses = crew.truth.all_statuses()
    with ThreadPoolExecutor(4) as pool:
        fetched = dict(zip(rows, pool.map(lambda job_id: _has_music(crew, job_id), rows), strict=True))
    asked = Counter(row["request_id"] for row in rows.values())
    keys = [output["blob_key"] for row in rows.values() for output in row["outputs"]]
    return Verdict(
        ended=sum(row["finished_at"] is not None for row in rows.values()),
        # also those that nobody heard of: what is committed is done
        lost={job_id for job_id in accepted | set(rows) if not fetched.get(job_id)},
        doubled={
            job_id
            for job_id, row in rows.items()
            if statuses[job_id].count("succeeded") != 1
            or statuses[job_id][-1] != "succeeded"
            or len(row["outputs"]) != 1
            or keys.count(row["outputs"][0]["blob_key"]) != 1
            or asked[row["request_id"]] != 1
        },
        unnamed=crew.truth.keys() - {key for row in rows.values() for key in named_keys(row)},
    )


def _has_music(crew: Crew, job_id: str) -> bool:
    """Through the API, as its client would get it."""
    job = crew.client().job(job_id)
    if job["status"] != "succeeded":
        return False
    midi = crew.client().music(job)
    assert hashlib.sha256(midi).hexdigest() == job["outputs"][0]["sha256"]
    # so small a model makes no music worth the name, but a whole file
    assert any(instrument.notes for instrument in MidiFile(file=io.BytesIO(midi)).instruments)
    return True
