"""PostgreSQL, Redis and the object store, away at the moments that matter."""

import time

from samples.small import small_options, small_picture
from servers.crew import Crew, until


def test_a_database_that_restarts_in_the_middle_of_a_step_costs_no_attempt(crew: Crew) -> None:
    job = crew.submit(wait_after="")
    until(lambda: crew.gates.holder(job))
    crew.postgres.kill()
    # the result comes while nobody can take it
    crew.gates.open(job)
    until(lambda: crew.truth_is_away() and crew.says_of_a_compose_worker("heartbeat_failed"))
    crew.postgres.start()
    crew.assert_done_once(job, attempts=1)


def test_without_a_database_nothing_is_accepted_and_no_file_stays(crew: Crew) -> None:
    keys = crew.truth.keys()
    crew.postgres.kill()
    answer = crew.post(small_picture(), **small_options(picture=True))
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    crew.postgres.start()
    until(lambda: crew.post(None, **small_options(picture=False)).status_code == 202)
    assert crew.truth.keys() >= keys


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
    answer = crew.post(small_picture(), **small_options(picture=True))
    assert answer.status_code == 503
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert crew.truth.jobs() == jobs
    crew.s3.start()
    assert crew.truth.keys() == keys


def test_music_that_the_store_does_not_take_is_made_again(crew: Crew) -> None:
    job = crew.submit(wait_before="")
    until(lambda: crew.gates.holder(job))
    crew.s3.kill()
    crew.gates.open(job)
    until(lambda: crew.truth.job(job)["attempts"] > 1)
    crew.s3.start()
    row = crew.client().wait(job)
    ...
