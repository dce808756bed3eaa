"""PostgreSQL, Redis and the object store, away at the moments that matter."""

import time

import httpx2
from servers.crew import Crew, until


def test_a_database_that_restarts_before_a_result_is_written_costs_no_attempt(crew: Crew) -> None:
    job = crew.submit(wait_after="")
    # its music is stored, its row knows nothing of it yet
    until(lambda: crew.truth.keys(job))
    crew.postgres.kill()
    crew.gates.open(job)
    until(lambda: crew.gates.has_let_through(job))
    crew.postgres.start()
    crew.assert_done_once(job, attempts=1)


def test_without_a_database_nothing_is_accepted_and_no_file_stays(crew: Crew) -> None:
    jobs, keys = crew.truth.jobs(), crew.truth.keys()
    crew.postgres.kill()
    assert_unavailable(crew.post(picture=True))
    crew.postgres.start()
    assert crew.truth.jobs() == jobs
    # nobody could ask the database whether the row was there after all: the picture waits for the orphan sweep
    assert len(crew.truth.keys() - keys) <= 1
    until(lambda: crew.post(picture=True).status_code == 202)


def test_a_broker_that_is_away_delays_no_answer_and_loses_no_job(crew: Crew) -> None:
    crew.redis.kill()
    started = time.monotonic()
    job = crew.submit()
    assert time.monotonic() - started < 3
    crew.redis.start()
    crew.assert_done_once(job, attempts=1)


def test_a_broker_that_hangs_delays_no_answer_for_long(crew: Crew) -> None:
    crew.redis.freeze()
    started = time.monotonic()
    job = crew.submit()
    assert time.monotonic() - started < 5
    crew.redis.thaw()
    crew.assert_done_once(job, attempts=1)


def test_without_a_store_nothing_is_accepted(crew: Crew) -> None:
    jobs, keys = crew.truth.jobs(), crew.truth.keys()
    crew.s3.kill()
    assert_unavailable(crew.post(picture=True))
    assert crew.truth.jobs() == jobs
    crew.s3.start()
    assert crew.truth.keys() == keys


def test_music_that_the_store_did_not_take_is_made_again(crew: Crew) -> None:
    job = crew.submit(wait_before="", wait_retry="")
    until(lambda: crew.gates.holder(job))
    crew.s3.kill()
    crew.gates.open(job)
    # the first attempt has failed; the second one waits, so that no slow start of the store costs it too
    until(lambda: crew.truth.job(job)["attempts"] == 2)
    crew.s3.start()
    crew.gates.open_retry(job)
    crew.assert_done_once(job, attempts=2)


def assert_unavailable(answer: httpx2.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
