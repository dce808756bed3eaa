"""What every index of blobs promises: nothing that a row names, or may be about to name, is left out."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import pytest
from samples.jobs import NOW, PICTURE, claimed, classified, job_id, queued, succeeded
from sqlalchemy import Engine, insert

from scenescore_shared.adapters.sql.tables import clips, corpora
from scenescore_shared.blob_keys import clip_key, output_key, picture_key
from scenescore_shared.fakes import InMemoryBlobIndex, InMemoryJobRepository
from scenescore_shared.jobs import Job
from scenescore_shared.moves import cancel_now, expire
from scenescore_shared.ports import BlobIndex, JobRepository
from scenescore_shared.wiring import build_blob_index, build_job_repository


@dataclass(frozen=True)
class Bench:
    jobs: JobRepository
    index: BlobIndex


@pytest.fixture(params=["fake", "sqlite", "postgres"])
def bench(request: pytest.FixtureRequest, engine_of: Callable[[str], Engine]) -> Bench:
    if request.param == "fake":
        jobs = InMemoryJobRepository()
        return Bench(jobs, InMemoryBlobIndex(jobs, {clip_key("c1")}))
    engine = engine_of(request.param)
    with engine.begin() as connection:
        connection.execute(insert(corpora).values(name="starter", version="1"))
        texts = dict.fromkeys(("title", "song", "emotion", "licence", "source", "tokens_version"), "x")
        connection.execute(
            insert(clips).values(
                id="c1",
                corpus="starter",
                seconds=9.0,
                features={},
                tokens=b"",
                blob_key=clip_key("c1"),
                **texts,
            )
        )
    return Bench(build_job_repository(engine), build_blob_index(engine))


def with_picture(job: Job) -> Job:
    return replace(job, picture=replace(PICTURE, blob_key=picture_key(job.id)))


def output(number: int, token: str) -> str:
    return output_key(job_id(number), token, "music.mid")


def done(number: int) -> Job:
    """Succeeded under the token `won`."""
    job = with_picture(succeeded(queued(number)))
    return replace(job, outputs=(replace(job.outputs[0], blob_key=output(number, "won")),))


def test_an_unfinished_jobs_picture_and_the_outputs_of_its_present_lease_are_named(bench: Bench) -> None:
    bench.jobs.add(with_picture(queued(1)))
    bench.jobs.add(claimed(with_picture(classified(queued(2))), token="now"))
    mine = {picture_key(job_id(1)), picture_key(job_id(2)), output(2, "now")}
    others = {output(1, "now"), output(2, "before"), picture_key(job_id(3)), output(3, "now")}
    assert bench.index.named(mine | others) == mine


def test_an_ended_job_names_what_its_row_names(bench: Bench) -> None:
    bench.jobs.add(done(1))
    bench.jobs.add(cancel_now(claimed(with_picture(queued(2)), token="t"), now=NOW))
    mine = {picture_key(job_id(1)), output(1, "won"), picture_key(job_id(2))}
    assert bench.index.named(mine | {output(1, "lost"), output(2, "t")}) == mine


def test_a_job_whose_files_have_gone_names_none(bench: Bench) -> None:
    bench.jobs.add(done(1))
    bench.jobs.update(job_id(1), partial(expire, now=NOW))
    assert bench.index.named({picture_key(job_id(1)), output(1, "won")}) == set()


def test_clips_are_named_by_their_rows(bench: Bench) -> None:
    assert bench.index.named({clip_key("c1"), clip_key("c2")}) == {clip_key("c1")}


def test_many_keys_and_strange_ones_are_no_trouble(bench: Bench) -> None:
    bench.jobs.add(with_picture(queued(1)))
    keys = {picture_key(job_id(number)) for number in range(1, 1201)}
    strange = {"jobs/x/picture.jpg", f"jobs/{job_id(1)}/other", "clips/c1.txt", "elsewhere"}
    assert bench.index.named(keys | strange) == {picture_key(job_id(1))}
    assert bench.index.named(set()) == set()
