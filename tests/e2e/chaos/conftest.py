"""Servers that these tests may kill, and a crew on them: the whole stack twice over, every fault of it wanted."""

import os
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from servers.crew import Crew
from servers.postgres import Postgres
from servers.private import started
from servers.redis import Redis
from servers.s3 import S3
from servers.scenescore import Stack, stack_settings

SETTINGS = {
    "SCENESCORE_JOBS__LEASE_SECONDS": "4",
    "SCENESCORE_JOBS__RETRY_BASE_SECONDS": "0.2",
    "SCENESCORE_JOBS__RETRY_CAP_SECONDS": "2",
    "SCENESCORE_SWEEPER__INTERVAL_SECONDS": "0.2",
    "SCENESCORE_SWEEPER__GRACE_SECONDS": "0.5",
    "SCENESCORE_SWEEPER__REPEAT_SECONDS": "1",
    # as little music as there can be
    "SCENESCORE_COMPOSER__TRAINING_TOKENS": "0",
    "SCENESCORE_COMPOSER__CANDIDATES": "1",
    "SCENESCORE_COMPOSER__CLIPS": "3",
    # the engine under it is the same; what is its own is broken in tests/e2e/test_stack.py
    "SCENESCORE_RENDER__ENABLED": "false",
}


@pytest.fixture(scope="session")
def frail_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    yield from started(Postgres, tmp_path_factory.mktemp("frail-postgres"))


@pytest.fixture(scope="session")
def frail_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Redis]:
    yield from started(Redis, tmp_path_factory.mktemp("frail-redis"))


@pytest.fixture(scope="session")
def frail_s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3]:
    yield from started(S3, tmp_path_factory.mktemp("frail-s3"))


@pytest.fixture(scope="session")
def template(
    tmp_path_factory: pytest.TempPathFactory,
    corpus: Path,
    frail_postgres: Postgres,
    frail_redis: Redis,
    frail_s3: S3,
) -> str:
    """A database at the newest schema, with a corpus in it."""
    name = frail_postgres.create_database()
    settings = stack_settings(frail_postgres, frail_redis, frail_s3)
    settings["SCENESCORE_DATABASE__URL"] = frail_postgres.url(name)
    once = Stack(tmp_path_factory.mktemp("template"), settings)
    once.run("scenescore_shared.provision")
    once.run("scenescore_standalone", "corpus", "import", str(corpus))
    return name


@pytest.fixture(scope="session")
def make_crew(
    tmp_path_factory: pytest.TempPathFactory,
    template: str,
    frail_postgres: Postgres,
    frail_redis: Redis,
    frail_s3: S3,
) -> Callable[..., Crew]:
    def make(**settings: str) -> Crew:
        own = stack_settings(frail_postgres, frail_redis, frail_s3, template=template)
        frail_redis.flush()
        stack = Stack(tmp_path_factory.mktemp("crew"), {**SETTINGS, **own, **settings})
        crew = Crew(stack, frail_postgres, frail_redis, frail_s3)
        crew.truth.blobs.create_bucket()
        return crew

    return make


@pytest.fixture(scope="session")
def shared_crew(make_crew: Callable[..., Crew]) -> Iterator[Crew]:
    # the workers' module lies among the tests
    paths = [str(Path(__file__).parents[2]), *filter(None, [os.environ.get("PYTHONPATH")])]
    crew = make_crew(PYTHONPATH=os.pathsep.join(paths))
    for kind in ("classify", "compose"):
        crew.stack.commands[kind] = ("servers.obedient_worker", kind)
    with closing(crew):
        yield crew


@pytest.fixture
def crew(shared_crew: Crew) -> Iterator[Crew]:
    """Everything runs at the start of a test, whatever the one before took down."""
    shared_crew.mend()
    yield shared_crew
    shared_crew.mend()
