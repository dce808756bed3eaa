"""`scenescore up`: one command, no servers."""

import hashlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import soundfile
from samples.checks import assert_good_job
from samples.client import Client
from samples.pictures import jpeg
from servers.receiver import Receiver, answer
from servers.scenescore import Embedded
from standardwebhooks import Webhook

from scenescore_client import Progress, Scenescore


@pytest.fixture(scope="module")
def client(embedded: Embedded) -> Iterator[Client]:
    with closing(Client(embedded.url)) as opened:
        yield opened


def test_a_picture_becomes_music(client: Client) -> None:
    job = client.wait(client.submit(jpeg(1), seed=7)["id"])
    midi = client.music(job)
    assert_good_job(job, midi)
    assert job["provenance"]["seed"] == 7
    assert job["provenance"]["classifier"].startswith("scene@")
    assert job["metrics"]["classify_seconds"] is not None
    again = client.wait(client.submit(jpeg(1), seed=7)["id"])
    assert client.music(again) == midi
    other = client.wait(client.submit(jpeg(1), seed=8)["id"])
    assert client.music(other) != midi


def test_music_is_rendered_beside_the_midi(client: Client) -> None:
    sound = client.http.get("/v1/capabilities").json()["sound"]
    assert [font["name"] for font in sound["soundfonts"]] == ["tiny.sf2"]
    job = client.wait(client.submit(None, seconds=10, emotions={"happy": 1})["id"])
    assert job["warnings"] == []
    assert job["metrics"]["render_seconds"] is not None
    outputs = {output["name"]: output for output in job["outputs"]}
    assert next(iter(outputs)) == "music.mid"
    assert outputs.keys() == {"music.mid", "music.ogg", "music.wav", "music.musicxml", "pianoroll.png"}
    for output in outputs.values():
        answer = client.http.get(output["url"])
        assert answer.headers["content-type"] == output["content_type"]
        assert hashlib.sha256(answer.content).hexdigest() == output["sha256"]
    samples, rate = soundfile.read(
        io.BytesIO(client.http.get(outputs["music.ogg"]["url"]).content), dtype="float32"
    )
    assert len(samples) / rate == pytest.approx(job["music"]["seconds"], abs=3)
    assert 10 ** (-3 / 20) < abs(samples).max() < 10 ** (-0.5 / 20)


def test_the_length_and_the_mix_asked_for_are_kept(client: Client) -> None:
    job = client.wait(client.submit(None, seconds=12, emotions={"sad": 1})["id"])
    assert_good_job(job, client.music(job), seconds=12)
    assert {clip["emotion"] for clip in job["provenance"]["clips"]} == {"sad"}
    assert "classifier" not in job["provenance"]


def test_a_canceled_job_stops_and_a_deleted_one_is_gone(client: Client) -> None:
    job = client.submit(jpeg(2), seconds=180)["id"]
    client.http.post(f"/v1/jobs/{job}/cancel")
    assert client.wait(job)["status"] == "canceled"
    assert client.http.delete(f"/v1/jobs/{job}").status_code == 204
    assert client.http.get(f"/v1/jobs/{job}").status_code == 404


def test_the_client_sees_the_progress_of_a_job(embedded: Embedded) -> None:
    heard: list[Progress] = []
    with Scenescore(embedded.url) as scenescore:
        job = scenescore.wait(scenescore.submit(jpeg(5), {"seconds": 20}), heard.append)
        assert_good_job(dict(job.raw), scenescore.output(job, "music.mid"), seconds=20)
    steps = [progress.step for progress in heard]
    assert sorted(set(filter(None, steps)), key=steps.index) == ["classify", "compose", "render"]
    shares = [progress.progress for progress in heard]
    assert shares == sorted(shares)
    # where each step begins, and the end
    assert len(set(shares)) >= 4
    assert heard[-1] == Progress(status="succeeded", step=None, progress=1, queue_position=None)


def test_the_command_submits_and_saves_every_file(embedded: Embedded, tmp_path: Path) -> None:
    (tmp_path / "scene.jpg").write_bytes(jpeg(6))
    (tmp_path / "broken.jpg").write_bytes(jpeg(6)[:500])
    command = [sys.executable, "-m", "scenescore_standalone", "submit", "broken.jpg", "scene.jpg"]
    done = subprocess.run(
        [*command, "-o", "music", "--seconds", "10", "--json"],
        cwd=tmp_path,
        env=embedded.environment | {"SCENESCORE_CLIENT__SERVER": embedded.url},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr.startswith("scenescore: broken.jpg: ")
    (line,) = done.stdout.splitlines()
    job = json.loads(line)
    assert job["picture"] == "scene.jpg"
    assert job["files"].keys() == {"music.mid", "music.ogg", "music.wav", "music.musicxml", "pianoroll.png"}
    for output in job["outputs"]:
        saved = (tmp_path / job["files"][output["name"]]).read_bytes()
        assert hashlib.sha256(saved).hexdigest() == output["sha256"]
    assert_good_job(job, (tmp_path / "music" / "scene" / "music.mid").read_bytes(), seconds=10)


def test_a_receiver_is_told_when_a_job_has_ended(embedded: Embedded, client: Client) -> None:
    secret = client.http.post("/v1/webhooks/secrets").json()["secret"]
    with Receiver([answer(500), answer(204)]) as receiver:
        job = client.wait(client.submit(jpeg(4), seconds=12, webhook_url=receiver.url())["id"])
        receiver.wait_for(2)
    for request in receiver.requests:
        message = Webhook(secret).verify(request.body, request.headers)
        assert message["type"] == "job.succeeded"
        assert message["data"]["id"] == job["id"]
        assert message["data"]["emotions"] == job["emotions"]
        assert message["data"]["outputs"][0]["sha256"] == job["outputs"][0]["sha256"]
    assert secret not in embedded.log("up").read_text()


def test_a_second_up_on_the_same_folder_is_refused_in_a_sentence(embedded: Embedded) -> None:
    second = subprocess.run(
        ["scenescore", "up", "--port", "1"],
        env=embedded.environment | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "another `scenescore up`" in second.stderr
    assert "Traceback" not in second.stderr
