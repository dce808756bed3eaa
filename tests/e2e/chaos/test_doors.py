"""An API that dies or is asked to stop; wake-ups that are lost; sweepers: none, killed, two."""

import signal
from concurrent.futures import ThreadPoolExecutor

from servers.crew import Crew, until

from scenescore_shared.contracts import QUEUES
from scenescore_shared.jobs import Step


def test_an_api_killed_between_commit_and_wake_up_loses_no_job(crew: Crew) -> None:
    job = crew.kill_api_before_its_wake_up("api-2", "never-answered")
    assert job
    listed = crew.client("api").http.get("/v1/jobs").json()["data"]
    assert job in {other["id"] for other in listed}
    crew.assert_done_once(job, attempts=1)
    assert len(crew.truth.asked_for_by("never-answered")) == 1


def test_an_api_killed_before_its_commit_leaves_no_job(crew: Crew) -> None:
    crew.s3.freeze()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(crew.post, picture=True, api="api-2", request_id="cut-off")
        until(crew.s3.is_waited_for)
        crew.stack.kill("api-2")
        assert answer.exception() is not None
    crew.s3.thaw()
    assert crew.truth.asked_for_by("cut-off") == []


def test_an_api_that_is_asked_to_stop_answers_first(crew: Crew) -> None:
    crew.s3.freeze()
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(crew.post, picture=True, api="api-2")
        until(crew.s3.is_waited_for)
        crew.stack.processes["api-2"].send(signal.SIGTERM)
        crew.s3.thaw()
        accepted = answer.result()
    # in order, and then by the signal that asked it to
    assert crew.stack.end("api-2") == -signal.SIGTERM
    assert accepted.status_code == 202
    crew.assert_done_once(accepted.json()["id"], attempts=1)


def test_a_job_whose_wake_up_was_flushed_waits_for_a_sweeper_only(crew: Crew) -> None:
    for name in ("sweeper", "compose", "compose-2"):
        assert crew.stack.end(name) == 0
    job = crew.submit()
    assert crew.redis.waiting(QUEUES[Step.COMPOSE]) > 0
    crew.redis.flush()
    crew.stack.start("compose")
    assert crew.truth.job(job)["status"] == "queued"
    crew.stack.start("sweeper")
    crew.assert_done_once(job, attempts=1)


def test_a_second_sweeper_goes_on_where_the_first_was_killed(crew: Crew) -> None:
    crew.stack.start("sweeper-2")
    until((crew.stack.folder / "state" / "sweeper-2" / "alive").exists)
    crew.redis.kill()
    jobs = [crew.submit() for _ in range(3)]
    crew.stack.kill("sweeper")
    crew.redis.start()
    for job in jobs:
        crew.assert_done_once(job, attempts=1)
