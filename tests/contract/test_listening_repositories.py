"""What the stores of ratings and of listening sessions promise, on the fakes, on SQLite and on PostgreSQL."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from samples.jobs import NOW, job_id, queued, succeeded
from samples.listening import TOKEN, rating, session, session_id
from sqlalchemy import Engine
from sqlalchemy.event import listens_for

from scenescore_shared.api_keys import hash_of
from scenescore_shared.errors import IllegalMoveError, NotFoundError
from scenescore_shared.fakes import InMemoryJobRepository
from scenescore_shared.listening_ports import ListeningSessionRepository, RatingRepository
from scenescore_shared.moves import expire
from scenescore_shared.ports import Everybody, JobRepository
from scenescore_shared.ratings import Grade, ListenerProgress, ModelVersion, RatedPiece
from scenescore_shared.wiring import (
    build_job_repository,
    build_listening_session_repository,
    build_rating_repository,
)

LATER = NOW + timedelta(minutes=1)
VERSION = ModelVersion(classifier="thesis-relu@12345678", composer="lstm-remi@1", base_model="base@2")


@dataclass
class Stores:
    jobs: JobRepository
    ratings: RatingRepository
    sessions: ListeningSessionRepository


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def stores(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> Stores:
    """With four jobs, of which the second is Bob's; the first tells what made it."""
    if request.param == "fake":
        jobs = InMemoryJobRepository()
        made = Stores(jobs, jobs.ratings, jobs.ratings.sessions)
    else:
        engine = engine_of(request.param)
        made = Stores(
            build_job_repository(engine),
            build_rating_repository(engine),
            build_listening_session_repository(engine),
        )
    provenance = {
        "seed": 7,
        "classifier": VERSION.classifier,
        "composer": VERSION.composer,
        "base_model": "base@2",
    }
    made.jobs.add(replace(succeeded(queued(1)), provenance=provenance))
    made.jobs.add(replace(succeeded(queued(2)), owner="bob", provenance={"composer": "lstm-remi@1"}))
    made.jobs.add(replace(succeeded(queued(3)), provenance={}))
    made.jobs.add(succeeded(queued(4)))
    return made


def test_a_rating_is_kept_as_it_was_given(stores: Stores) -> None:
    given = rating(1, listener="José Ω", fit=None)
    assert stores.ratings.put(given) == (given, True)
    assert stores.ratings.page(job_id(1), listener=None, limit=9, before_id=None) == [given]
    assert stores.ratings.page(job_id(2), listener=None, limit=9, before_id=None) == []


def test_a_second_rating_of_the_same_listener_changes_the_first(stores: Stores) -> None:
    first = rating(1)
    stores.ratings.put(first)
    second = rating(2, quality=Grade.BAD, fit=None, at=LATER)
    changed = replace(first, quality=Grade.BAD, fit=None, updated_at=LATER)
    assert stores.ratings.put(second) == (changed, False)
    assert stores.ratings.page(job_id(1), listener="ann", limit=9, before_id=None) == [changed]


def test_listeners_outputs_jobs_and_sessions_each_have_ratings_of_their_own(stores: Stores) -> None:
    for number in (1, 2):
        stores.sessions.add(session(number), token_hash=hash_of(f"{TOKEN}{number}"))
    given = [
        rating(1),
        rating(2, listener="Ann"),
        rating(3, output="music-2.mid"),
        rating(4, job=2),
        rating(5, session=1),
        rating(6, session=2),
    ]
    assert [stores.ratings.put(each) for each in given] == [(each, True) for each in given]
    of_first = stores.ratings.page(job_id(1), listener=None, limit=9, before_id=None)
    assert of_first == [given[5], given[4], given[2], given[1], given[0]]


def test_ratings_come_newest_first_a_page_at_a_time(stores: Stores) -> None:
    given = [rating(number, listener=f"l{number}") for number in range(1, 6)]
    for each in given:
        stores.ratings.put(each)
    first = stores.ratings.page(job_id(1), listener=None, limit=3, before_id=None)
    assert first == given[:1:-1]
    assert stores.ratings.page(job_id(1), listener=None, limit=3, before_id=first[-1].id) == given[1::-1]


def test_only_what_is_there_can_be_rated(stores: Stores) -> None:
    with pytest.raises(NotFoundError):
        stores.ratings.put(rating(job=99))
    with pytest.raises(NotFoundError):
        stores.ratings.put(rating(session=99))


def test_a_rating_is_deleted_by_what_makes_it_one(stores: Stores) -> None:
    stores.sessions.add(session(), token_hash=hash_of(TOKEN))
    outside, inside = rating(1), rating(2, session=1)
    for each in (outside, inside):
        stores.ratings.put(each)
    delete = partial(stores.ratings.delete, job_id(1), output="music.mid", listener="ann")
    delete(session_id=None)
    assert stores.ratings.page(job_id(1), listener=None, limit=9, before_id=None) == [inside]
    with pytest.raises(NotFoundError, match=r"ann has not rated music\.mid"):
        delete(session_id=None)
    delete(session_id=session_id(1))
    assert stores.ratings.page(job_id(1), listener=None, limit=9, before_id=None) == []


def test_ratings_survive_the_files_of_their_job_and_go_with_its_row(stores: Stores) -> None:
    stores.sessions.add(session(), token_hash=hash_of(TOKEN))
    for each in (rating(1), rating(2, session=1), rating(3, job=2, session=1)):
        stores.ratings.put(each)
    stores.jobs.update(job_id(1), partial(expire, now=LATER))
    assert len(stores.ratings.page(job_id(1), listener=None, limit=9, before_id=None)) == 2
    stores.jobs.delete(job_id(1))
    assert stores.ratings.page(job_id(1), listener=None, limit=9, before_id=None) == []
    assert [item.job_id for item in stores.sessions.get(session_id(1)).items] == [job_id(2)]
    assert stores.ratings.of_session(session_id(1)) == [rating(3, job=2, session=1)]


def test_of_two_at_the_same_moment_one_is_new_and_none_is_lost(stores: Stores) -> None:
    numbers = range(1, 9)
    with ThreadPoolExecutor(4) as pool:
        kept = list(pool.map(lambda number: stores.ratings.put(rating(number)), numbers))
    assert sum(new for _, new in kept) == 1
    assert len({each.id for each, _ in kept}) == 1
    assert len(stores.ratings.page(job_id(1), listener=None, limit=99, before_id=None)) == 1


def test_a_session_is_kept_as_it_was_made_and_found_by_its_links_hash(stores: Stores) -> None:
    made = session(jobs=(4, 1, 3), closes_at=LATER)
    stores.sessions.add(made, token_hash=hash_of(TOKEN))
    assert stores.sessions.get(made.id) == made
    assert stores.sessions.find(hash_of(TOKEN)) == made
    assert stores.sessions.find(TOKEN) is None
    with pytest.raises(NotFoundError, match="no listening session"):
        stores.sessions.get(session_id(9))


def test_a_session_is_made_of_jobs_that_are_there_or_not_at_all(stores: Stores) -> None:
    with pytest.raises(NotFoundError):
        stores.sessions.add(session(jobs=(1, 99)), token_hash=hash_of(TOKEN))
    assert stores.sessions.find(hash_of(TOKEN)) is None


def test_sessions_come_newest_first_and_each_to_its_owner(stores: Stores) -> None:
    sessions = [session(number, owner="bob" if number == 2 else None) for number in (1, 2, 3)]
    for number, each in enumerate(sessions):
        stores.sessions.add(each, token_hash=hash_of(f"{TOKEN}{number}"))
    assert stores.sessions.page(whose=None, limit=9, before_id=None) == [sessions[2], sessions[0]]
    assert stores.sessions.page(whose="bob", limit=9, before_id=None) == [sessions[1]]
    assert stores.sessions.page(whose=Everybody(), limit=2, before_id=None) == [sessions[2], sessions[1]]
    assert stores.sessions.page(whose=Everybody(), limit=2, before_id=session_id(2)) == [sessions[0]]


def test_a_session_is_closed_once(stores: Stores) -> None:
    stores.sessions.add(session(closes_at=NOW + timedelta(days=1)), token_hash=hash_of(TOKEN))
    closed = session(closes_at=LATER)
    assert stores.sessions.close(session_id(1), LATER) == closed
    assert stores.sessions.close(session_id(1), LATER + timedelta(hours=1)) == closed
    with pytest.raises(NotFoundError):
        stores.sessions.close(session_id(9), NOW)


def test_a_session_takes_its_ratings_with_it_and_no_others(stores: Stores) -> None:
    stores.sessions.add(session(), token_hash=hash_of(TOKEN))
    for each in (rating(1), rating(2, session=1)):
        stores.ratings.put(each)
    stores.sessions.delete(session_id(1))
    assert stores.ratings.page(job_id(1), listener=None, limit=9, before_id=None) == [rating(1)]
    assert stores.sessions.find(hash_of(TOKEN)) is None
    with pytest.raises(NotFoundError):
        stores.sessions.delete(session_id(1))


def test_a_session_tells_who_rated_how_much_and_what_one_said(stores: Stores) -> None:
    for number in (1, 2, 3):
        stores.sessions.add(session(number), token_hash=hash_of(f"{TOKEN}{number}"))
    given = [
        rating(1, session=1),
        rating(2, session=1, job=2),
        rating(3, session=1, listener="Bob"),
        rating(4, session=2, listener="eve"),
        rating(5),
    ]
    for each in given:
        stores.ratings.put(each)
    assert stores.ratings.progress([session_id(1), session_id(3)]) == {
        session_id(1): [ListenerProgress(listener="Bob", rated=1), ListenerProgress(listener="ann", rated=2)]
    }
    assert stores.ratings.progress([]) == {}
    said = stores.ratings.of_listener(session_id(1), "ann")
    assert sorted(said, key=lambda each: each.id) == given[:2]


def test_a_session_takes_so_many_listeners(stores: Stores) -> None:
    stores.sessions.add(session(), token_hash=hash_of(TOKEN))
    for number, name in enumerate(("ann", "bob")):
        stores.ratings.put(rating(number, session=1, listener=name), most_listeners=2)
    with pytest.raises(IllegalMoveError, match="2 listeners already") as refused:
        stores.ratings.put(rating(3, session=1, listener="eve"), most_listeners=2)
    assert refused.value.code == "too_many_listeners"
    _, new = stores.ratings.put(rating(4, job=2, session=1, listener="bob"), most_listeners=2)
    assert new


def test_listeners_who_came_at_the_same_moment_go_on_and_no_more_come(stores: Stores) -> None:
    stores.sessions.add(session(), token_hash=hash_of(TOKEN))
    for number, name in enumerate(("ann", "bob", "eve")):
        # as none of them saw the others
        stores.ratings.put(rating(number, session=1, listener=name))
    for number, name in enumerate(("ann", "bob", "eve"), start=3):
        changed = rating(number, session=1, listener=name, quality=Grade.BAD)
        _, new = stores.ratings.put(changed, most_listeners=2)
        assert not new
        _, new = stores.ratings.put(replace(changed, job_id=job_id(2)), most_listeners=2)
        assert new
    with pytest.raises(IllegalMoveError):
        stores.ratings.put(rating(9, session=1, listener="zoe"), most_listeners=2)


def test_reports_get_each_rating_with_what_made_its_piece(stores: Stores) -> None:
    stores.sessions.add(session(jobs=(1, 2, 3)), token_hash=hash_of(TOKEN))
    given = [rating(1, job=3, session=1), rating(2, job=1, session=1), rating(3, job=2), rating(4, job=3)]
    for each in given:
        stores.ratings.put(each)
    nothing = ModelVersion(classifier=None, composer=None, base_model=None)
    bobs = replace(nothing, composer="lstm-remi@1")
    of_session = stores.ratings.of_session(session_id(1))
    assert of_session == [given[1], given[0]]
    assert stores.ratings.with_versions(of_session) == [
        RatedPiece(rating=given[1], version=VERSION),
        RatedPiece(rating=given[0], version=nothing),
    ]
    assert stores.ratings.of_owner(None, limit=2) == [given[3], given[1]]
    of_bob = stores.ratings.of_owner("bob", limit=9)
    assert stores.ratings.with_versions(of_bob) == [RatedPiece(rating=given[2], version=bobs)]
    assert stores.ratings.of_owner(Everybody(), limit=9) == given[::-1]


def test_ratings_whose_job_has_gone_since_are_left_out_of_reports(stores: Stores) -> None:
    given = [rating(1), rating(2, job=2)]
    for each in given:
        stores.ratings.put(each)
    stores.jobs.delete(job_id(1))
    assert [each.rating for each in stores.ratings.with_versions(given)] == given[1:]
    assert stores.ratings.with_versions([]) == []


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_jobs_provenance_is_read_once_and_for_reports_alone(
    kind: str, engine_of: Callable[[str], Engine]
) -> None:
    engine = engine_of(kind)
    store, jobs = build_rating_repository(engine), build_job_repository(engine)
    for number in (1, 2):
        jobs.add(succeeded(queued(number)))
    given = [rating(number, job=1 + number % 2, listener=f"l{number}") for number in range(20)]
    for each in given:
        store.put(each)
    read: list[str] = []

    @listens_for(engine, "before_cursor_execute")
    def note(*arguments: Any) -> None:
        _, _, statement, parameters, *_ = arguments
        if "provenance" in statement:
            values = parameters.values() if isinstance(parameters, dict) else parameters
            # SQLite keeps ids without their dashes
            read.extend(str(value).replace("-", "") for value in values)

    assert len(store.of_owner(None, limit=99)) == 20
    assert read == []
    assert len(store.with_versions(given)) == 20
    ids = [job_id(number).replace("-", "") for number in (1, 2)]
    assert sorted(value for value in read if value in ids) == ids
