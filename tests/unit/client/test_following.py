"""Waiting for a job: by its events, across broken streams, and by asking where there are none."""

from collections.abc import Callable, Iterator

import httpx2
import pytest
from samples.mock_server import JOB_ID, JOB_PATH, MockServer, event, events, job, problem

from scenescore_client import NotAuthenticatedError, NotFoundError, Progress, WaitTimeoutError

EVENTS = f"GET {JOB_PATH}/events"
READ = f"GET {JOB_PATH}"


@pytest.fixture
def server() -> MockServer:
    return MockServer()


def seen(progress: Progress) -> tuple[str, str | None, float, int | None]:
    return progress.status, progress.step, progress.progress, progress.queue_position


def test_every_change_is_heard_as_it_comes(server: MockServer) -> None:
    server.on(
        EVENTS,
        events(
            "retry: 1000\n\n: still here\n\n",
            event(1, status="queued", step="classify"),
            'event: queue\ndata: {"queue_position": 3}\n\n',
            'event: queue\ndata: {"queue_position": null}\n\n',
            event(2, status="running", step="compose", progress=0.5),
            "event: news\ndata: of a kind to come\n\n",
            event(3, status="succeeded", step=None, progress=1),
            event(4, status="queued", step="never read"),
        ),
    )
    server.on(READ, job(status="succeeded", step=None, progress=1, queue_position=None))
    heard: list[Progress] = []
    with server.client() as client:
        ended = client.wait(JOB_ID, heard.append)
    assert ended.succeeded
    assert [seen(progress) for progress in heard] == [
        ("queued", "classify", 0, None),
        ("queued", "classify", 0, 3),
        ("queued", "classify", 0, None),
        ("running", "compose", 0.5, None),
        ("succeeded", None, 1, None),
    ]
    assert server.paths() == [EVENTS, READ]
    assert server.time.waits == []


def test_a_stream_that_breaks_goes_on_after_the_last_event(server: MockServer) -> None:
    server.on(
        EVENTS,
        events(event(1, status="queued"), event(2, status="running"), httpx2.ReadError("reset")),
        events(event(3, status="running", progress=0.5)),
        events(event(4, status="failed", step=None)),
    )
    server.on(
        READ,
        lambda _: job(),
        lambda _: job(status="running"),
        lambda _: job(status="failed", step=None, queue_position=None),
    )
    heard: list[Progress] = []
    with server.client() as client:
        assert client.wait(JOB_ID, heard.append).status == "failed"
    streams = [request for request in server.requests if request.url.path.endswith("/events")]
    assert [request.headers.get("Last-Event-ID") for request in streams] == [None, "2", "3"]
    # a read in between, which is older or newer than the stream, does not make the progress jump
    assert [progress.progress for progress in heard] == [0, 0, 0.5, 0]
    assert server.time.waits == [1.0, 1.0]


def test_a_server_that_names_its_pause_gets_it(server: MockServer) -> None:
    server.on(EVENTS, events("retry: 4000\n\n", event(1, status="queued")), httpx2.Response(204))
    server.on(READ, lambda _: job(), lambda _: job(status="succeeded"))
    with server.client() as client:
        client.wait(JOB_ID)
    assert server.time.waits == [4.0]


@pytest.mark.parametrize(
    "trouble",
    [
        lambda _: problem(503, "busy", Retry_After="5"),
        lambda _: problem(404, "not_found"),
        lambda _: httpx2.Response(200, text="<html>A proxy's</html>"),
        lambda _: httpx2.Response(204),
        lambda _: events(httpx2.ReadTimeout("silence")),
    ],
)
def test_where_no_events_come_through_it_asks_when_the_server_says(
    server: MockServer, trouble: object
) -> None:
    server.on(EVENTS, trouble)  # type: ignore[arg-type] # one of the above
    waiting = [lambda _: job(headers={"Retry-After": "7"}, queue_position=6)] * 5
    server.on(READ, *waiting, lambda _: job(status="succeeded", queue_position=None))
    heard: list[Progress] = []
    with server.client() as client:
        assert client.wait(JOB_ID, heard.append).succeeded
    assert server.paths().count(EVENTS) == 3
    assert server.time.waits == [1, 1, 7, 7, 7]
    assert [progress.queue_position for progress in heard] == [6, None]


def test_events_that_stay_away_for_a_while_are_not_given_up(server: MockServer) -> None:
    silent = [httpx2.ReadError("reset")] * 2
    server.on(
        EVENTS,
        *silent,
        events(event(1, status="running")),
        *silent,
        events(event(2, status="succeeded")),
    )
    server.on(READ, *[lambda _: job()] * 5, lambda _: job(status="succeeded"))
    with server.client() as client:
        client.wait(JOB_ID)
    assert server.paths().count(EVENTS) == 6


def test_a_job_that_is_gone_is_told(server: MockServer) -> None:
    server.on(EVENTS, problem(404, "not_found"))
    server.on(READ, problem(404, "not_found"))
    with server.client() as client, pytest.raises(NotFoundError):
        client.wait(JOB_ID)
    assert len(server.requests) == 2


def test_a_key_that_was_revoked_meanwhile_is_told(server: MockServer) -> None:
    server.on(EVENTS, events(event(1, status="running")), problem(401, "not_authenticated"))
    server.on(READ, job(status="running"), problem(401, "not_authenticated"))
    with server.client() as client, pytest.raises(NotAuthenticatedError):
        client.wait(JOB_ID)


def test_the_time_to_wait_ends(server: MockServer) -> None:
    server.on(EVENTS, lambda _: events(event(1, status="running")))
    server.on(READ, lambda _: job(status="running"))
    began = server.time.now
    with server.client() as client, pytest.raises(WaitTimeoutError, match=JOB_ID):
        client.wait(JOB_ID, timeout=5)
    assert server.time.now - began == 5


def kept_alive(server: MockServer, *, every: float) -> Callable[[httpx2.Request], httpx2.Response]:
    """A stream without events, as a client hears it that waits no longer than it says."""

    def answer(request: httpx2.Request) -> httpx2.Response:
        patience: float = request.extensions["timeout"]["read"]

        def comments() -> Iterator[bytes]:
            for _ in range(100):
                server.time.now += min(every, patience)
                if every > patience:
                    raise httpx2.ReadTimeout("silence")
                yield b": still here\n\n"

        return httpx2.Response(200, headers={"Content-Type": "text/event-stream"}, content=comments())

    return answer


@pytest.mark.parametrize(("every", "streams"), [(6, 6), (20, 3)])
def test_the_time_to_wait_ends_on_a_stream_that_is_merely_kept_alive(
    server: MockServer, every: float, streams: int
) -> None:
    server.on(EVENTS, kept_alive(server, every=every))
    server.on(READ, lambda _: job(status="running"))
    began = server.time.now
    with server.client() as client, pytest.raises(WaitTimeoutError, match=JOB_ID):
        client.wait(JOB_ID, timeout=70)
    assert 70 <= server.time.now - began <= 75
    # it is not taken for a server whose events don't come through, and which is asked instead
    assert server.paths() == [EVENTS, READ] * streams


def test_a_listener_that_has_enough_ends_the_wait(server: MockServer) -> None:
    server.on(EVENTS, events(event(1, status="running")))

    def enough(_: Progress) -> None:
        raise KeyboardInterrupt

    with server.client() as client, pytest.raises(KeyboardInterrupt):
        client.wait(JOB_ID, enough)
