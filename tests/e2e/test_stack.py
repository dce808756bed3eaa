"""The stack as real processes on PostgreSQL, Redis and a real S3 store."""

import json
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from samples.checks import assert_good_job
from samples.client import Client
from samples.photographs import photographs
from samples.pictures import encoded, jpeg, scene
from selenium.webdriver import Chrome
from selenium.webdriver.common.keys import Keys
from servers.redis import Redis
from servers.scenescore import Stack
from servers.visitor import Visitor


@pytest.fixture(scope="module")
def client(stack: Stack) -> Iterator[Client]:
    with closing(Client(stack.url)) as opened:
        yield opened


@pytest.fixture
def locked_url(stack: Stack) -> Iterator[str]:
    """Of another API on the same jobs, which asks for keys."""
    stack.environment["SCENESCORE_API__REQUIRE_KEYS"] = "true"
    try:
        stack.start("api-2")
    finally:
        del stack.environment["SCENESCORE_API__REQUIRE_KEYS"]
    yield stack.url_of("api-2")
    stack.end("api-2")


def test_thirty_photographs_at_once_all_become_music(client: Client) -> None:
    pictures = photographs(30)
    with ThreadPoolExecutor(30) as pool:
        submitted = list(pool.map(lambda picture: client.submit(picture, seconds=10), pictures))
    jobs = [client.wait(job["id"], seconds=240) for job in submitted]
    assert len({job["id"] for job in jobs}) == 30
    for job in jobs:
        assert_good_job(job, client.music(job), seconds=10)
    assert len({client.music(job) for job in jobs}) == 30


def test_the_ids_go_through_api_broker_and_workers(stack: Stack, client: Client) -> None:
    job = client.submit(jpeg(3), request_id="follow-me")["id"]
    client.wait(job)
    for name in ("api", "classify", "compose"):
        events = [event for event in _events(stack, name) if event.get("job_id") == job]
        assert events, name
        assert all(event["request_id"] == "follow-me" for event in events), name


def test_jobs_whose_wake_ups_were_flushed_are_done_all_the_same(client: Client, redis_server: Redis) -> None:
    jobs = [client.submit(jpeg(seed))["id"] for seed in range(10, 14)]
    redis_server.flush()
    assert [client.wait(job)["status"] for job in jobs] == ["succeeded"] * 4


def test_a_killed_composer_costs_time_and_no_job(stack: Stack, client: Client) -> None:
    job = client.submit(jpeg(20), seconds=180)["id"]
    _until(lambda: (now := client.job(job))["step"] == "compose" and now["queue_position"] is None)
    stack.kill("compose")
    assert client.job(job)["status"] == "running"
    stack.start("compose")
    done = client.wait(job)
    assert_good_job(done, client.music(done), seconds=180)


def test_a_lost_render_worker_delays_no_music_and_costs_no_sound(stack: Stack, client: Client) -> None:
    stack.kill("render")
    job = client.submit(None, seconds=10, emotions={"sad": 1})["id"]
    _until(lambda: client.job(job)["step"] == "render")
    waiting = client.job(job)
    assert (waiting["status"], [output["name"] for output in waiting["outputs"]]) == (
        "running",
        ["music.mid"],
    )
    midi = client.music(waiting)
    assert waiting["music"]["notes"] > 0
    stack.start("render")
    done = client.wait(job)
    assert_good_job(done, midi, seconds=10)
    assert client.music(done) == midi
    assert {output["name"] for output in done["outputs"]} > {"music.mid", "music.ogg", "pianoroll.png"}


def test_a_damaged_picture_is_refused_and_nobody_dies(client: Client) -> None:
    answer = client.http.post("/v1/jobs", files={"image": ("p.jpg", jpeg()[:500])})
    assert answer.status_code == 422
    assert client.wait(client.submit(jpeg(21))["id"])["status"] == "succeeded"


def test_a_key_opens_the_page_its_pictures_sound_and_events(
    stack: Stack, locked_url: str, chromium: Chrome, tmp_path: Path
) -> None:
    visitor = Visitor(chromium, locked_url)
    visitor.forget()
    visitor.open()
    visitor.sees("Sign in with a key")
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "sign-in")
    key = stack.run("scenescore_api.keys", "create", "ann").splitlines()[-2]
    field = visitor.one("input[type=password]")
    field.send_keys("scs_wrong", Keys.ENTER)
    visitor.sees("This key is not known here")
    field.clear()
    field.send_keys(key, Keys.ENTER)
    visitor.one(".zone")

    stack.processes["compose"].freeze()
    try:
        visitor.submit(jpeg(30))
        visitor.sees("How it feels", seconds=60)
        visitor.click("Stop")
        visitor.sees("This job was stopped.")
    finally:
        stack.processes["compose"].thaw()
    job = visitor.submit(encoded(scene(960, 720, seed=31)))
    visitor.sees("Your music is ready.", seconds=90)
    _hear_and_rate(visitor)
    link = _make_session(visitor)

    (cookie,) = visitor.driver.get_cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("scenescore_session", True, "Strict")
    assert key not in visitor.script("return JSON.stringify({ ...localStorage, ...sessionStorage })")
    visitor.click("Sign out")
    visitor.sees("Sign in with a key")
    visitor.open(f"/jobs/{job}")
    visitor.sees("Sign in with a key")
    _listen(visitor, link)
    assert visitor.driver.get_cookies() == []
    assert visitor.complaints() == []


def _hear_and_rate(visitor: Visitor) -> None:
    assert visitor.script("return document.querySelector('.picture').naturalWidth") == 960
    visitor.one("[data-player=file]")
    visitor.click("Play")
    visitor.hears()
    visitor.choose("quality", "good")
    visitor.choose("fit", "bad")
    visitor.one(".rating input[type=text]").send_keys("ann")
    visitor.click("Save the rating")
    visitor.sees("Saved.")
    visitor.open("/listening/all")
    visitor.sees("Quality of the music")
    assert visitor.audit() == []


def _make_session(visitor: Visitor) -> str:
    """Of the one piece that there is; returns the path of its link."""
    visitor.open("/listening")
    visitor.click("Make a session")
    visitor.one(".choice li input").click()
    visitor.click("Make the session of 1")
    link = str(visitor.one("input[readonly]").get_attribute("value"))
    return link.removeprefix(visitor.url)


def _listen(visitor: Visitor, link: str) -> None:
    """Without a key."""
    visitor.open(link)
    visitor.click("Begin without a name")
    visitor.until(lambda: visitor.script("return document.querySelector('.picture')?.naturalWidth") == 960)
    visitor.one("[data-player=file]")
    visitor.choose("quality", "fair")
    visitor.choose("fit", "good")
    visitor.click("Save and go on")
    visitor.sees("You have rated the piece")


def _events(stack: Stack, name: str) -> list[dict[str, Any]]:
    lines = stack.log(name).read_text().splitlines()
    return [json.loads(line) for line in lines if line.startswith("{")]


def _until(done: Any, *, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline
        time.sleep(0.02)
