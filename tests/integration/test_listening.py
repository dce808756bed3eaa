"""A listening study on the API as a process with a database and a store, keys required: from jobs to the report."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from samples.api import bearer
from samples.jobs import OUTPUT, PICTURE, job_id, queued, succeeded
from samples.pictures import jpeg
from servers.scenescore import Stack

from scenescore_shared.adapters.directory import DirectoryBlobStore
from scenescore_shared.adapters.sql.engine import make_engine
from scenescore_shared.api_keys import hash_of
from scenescore_shared.blob_keys import output_key, picture_key
from scenescore_shared.wiring import build_api_keys, build_job_repository

PIECES = 3


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Stack]:
    stack = Stack(tmp_path, {"SCENESCORE_API__REQUIRE_KEYS": "true"})
    stack.run("scenescore_shared.provision")
    stack.start("api")
    yield stack
    assert stack.stop() == {"api": -signal.SIGTERM}


def command(api: Stack, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", *arguments], env=api.environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def add_jobs(api: Stack, key: str) -> list[str]:
    """What the workers would have made."""
    engine = make_engine(f"sqlite:///{api.folder / 'scenescore.db'}", application="tests")
    found = build_api_keys(engine).find(hash_of(key))
    assert found is not None
    blobs = DirectoryBlobStore(api.folder / "objects")
    ids = [job_id(number) for number in range(1, PIECES + 1)]
    for number, each in enumerate(ids, start=1):
        picture = replace(PICTURE, blob_key=picture_key(each))
        output = replace(OUTPUT, blob_key=output_key(each, "t", OUTPUT.name))
        blobs.put(picture.blob_key, jpeg(), "image/jpeg")
        blobs.put(output.blob_key, b"MThd-music", output.content_type)
        job = succeeded(replace(queued(number), picture=picture, owner=found.owner))
        build_job_repository(engine).add(replace(job, outputs=(output,)))
    engine.dispose()
    return ids


def test_a_study_from_its_jobs_to_its_report(api: Stack, tmp_path: Path) -> None:
    key = command(api, "scenescore_api.keys", "create", "me")
    jobs = add_jobs(api, key)
    with httpx2.Client(base_url=api.url, timeout=20) as anybody:
        owner = bearer(key)
        made = anybody.post(
            "/v1/listening-sessions", json={"title": "Study", "jobs": jobs}, headers=owner
        ).json()
        token = made["link"].removeprefix("/listen/")
        assert anybody.get(made["link"]).headers["Content-Type"].startswith("text/html")
        for name, quality in (("Roberta", "good"), ("Li Na", "poor")):
            session = anybody.get(f"/v1/listening/{token}", params={"listener": name}).json()
            assert session["total"] == len(session["items"]) == PIECES
            for piece in session["items"]:
                base = f"/v1/listening/{token}/items/{piece['item']}"
                assert anybody.get(f"{base}/image").content[:2] == b"\xff\xd8"
                assert anybody.get(f"{base}/music.mid").content == b"MThd-music"
                grades = {"quality": quality, "fit": "fair"}
                assert anybody.put(f"{base}/ratings/{name}", json=grades).status_code == 201
        report = anybody.get(made["links"]["report"], headers=owner).json()
        assert [(row["listener"], row["mean_quality"]) for row in report["listeners"]] == [
            ("Li Na", 2),
            ("Roberta", 4),
        ]
        assert anybody.get(made["links"]["report"]).status_code == 401
    command(api, "scenescore_api.ratings_report", "--session", made["id"], "--out", str(tmp_path / "report"))
    assert json.loads((tmp_path / "report" / "report.json").read_text()) == report
    log = api.log("api").read_text()
    assert "/v1/listening/{token}/items/{item}/ratings/{listener}" in log
    for hidden in (token, token.removeprefix("scl_"), hash_of(token), "Roberta", "Li%20Na"):
        assert hidden not in log
