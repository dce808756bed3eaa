"""Workers that freeze, die, are killed by a job, or are asked to stop."""

import os
import signal

import pytest
from servers.crew import Crew, stands_still, until


def test_a_frozen_worker_that_goes_on_writes_nothing_and_leaves_no_file(crew: Crew) -> None:
    job = crew.submit(freeze_after="")
    first, frozen = crew.holder(job), crew.gates.holder(job)
    assert frozen
    until(lambda: stands_still(frozen.pid))
    crew.stack.processes[first].freeze()
    late_token = crew.truth.job(job)["lease_token"]
    # its lease runs out; the other worker takes the job over and stands still at the same point
    until(lambda: crew.gates.holder(job) != frozen)
    second, taken_over = crew.holder(job), crew.gates.holder(job)
    assert taken_over
    assert second != first
    until(lambda: stands_still(taken_over.pid))
    token = crew.truth.job(job)["lease_token"]
    assert len(crew.truth.keys(job)) == 2
    crew.stack.processes[first].thaw()
    until(lambda: len(crew.truth.keys(job)) == 1)
    assert crew.truth.job(job)["lease_token"] == token
    crew.stack.processes[second].thaw()
    row = crew.assert_done_once(job, attempts=2)
    assert token in row["outputs"][0]["blob_key"]
    assert late_token not in row["outputs"][0]["blob_key"]


def test_a_long_job_under_a_short_lease_is_not_taken_from_its_worker(crew: Crew) -> None:
    job = crew.submit(wait_before="")
    until(lambda: crew.gates.holder(job))
    claimed = crew.truth.job(job)
    # past the first lease's end, and an idle worker beside it
    until(lambda: crew.truth.job(job)["updated_at"] > claimed["lease_expires_at"])
    assert crew.truth.job(job)["lease_token"] == claimed["lease_token"]
    crew.gates.open(job)
    crew.assert_done_once(job, attempts=1)


@pytest.mark.parametrize("whom", ["parent", "child"])
@pytest.mark.parametrize("kind", ["classify", "compose"])
def test_a_killed_workers_job_is_taken_over(crew: Crew, kind: str, whom: str) -> None:
    job = crew.submit(picture=kind == "classify", wait_before="")
    name, held = crew.holder(job), crew.gates.holder(job)
    assert name.startswith(kind)
    if whom == "child":
        assert crew.kill_child(name)
    else:
        os.kill(crew.stack.processes[name].pid, signal.SIGKILL)
    until(lambda: crew.gates.holder(job) != held)
    assert crew.truth.job(job)["attempts"] == 2
    crew.gates.open(job)
    crew.assert_done_once(job, attempts=1 if kind == "classify" else 2)


def test_sigterm_hands_the_job_back_with_its_attempt(crew: Crew) -> None:
    job = crew.submit(wait_before="")
    name, held = crew.holder(job), crew.gates.holder(job)
    token = crew.truth.job(job)["lease_token"]
    assert crew.stack.end(name) == 0
    assert crew.truth.job(job)["lease_token"] != token
    until(lambda: crew.gates.holder(job) != held)
    assert crew.holder(job) != name
    assert crew.truth.keys(job) == set()
    crew.gates.open(job)
    crew.assert_done_once(job, attempts=1)


def test_a_job_that_kills_its_workers_fails_and_its_neighbours_succeed(crew: Crew) -> None:
    # both classifiers have something else in hand, and only one is let go, so that it takes the four at once
    first = crew.submit(picture=True, wait_before="")
    # its batch is closed before the next one comes: that one goes to the other classifier
    holder = crew.holder(first)
    second = crew.submit(picture=True, wait_before="")
    assert crew.holder(second) != holder
    busy = [first, second]
    neighbours = [crew.submit(picture=True) for _ in range(2)]
    poisoned = crew.submit(picture=True, poison="")
    neighbours.append(crew.submit(picture=True))
    crew.gates.open(first)
    until(lambda: (held := crew.gates.holder(poisoned)) and held.batch == 4)
    crew.gates.open(second)
    failed = crew.client().wait(poisoned)
    assert (failed["status"], failed["error"]["code"]) == ("failed", "worker_lost")
    for job in [*busy, *neighbours]:
        crew.assert_done_once(job, attempts=1)
