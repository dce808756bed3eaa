"""The broker made of files: whole messages, each once, and none that stops the show."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from celery import Celery
from kombu.simple import SimpleQueue

from scenescore_shared.adapters.celery import CeleryTaskPublisher, make_celery
from scenescore_shared.contracts import WakeUp
from scenescore_shared.jobs import Step


def received(app: Celery, *, patience: float = 0.5) -> list[str]:
    found: list[str] = []
    with app.connection_for_read() as connection, connection.SimpleQueue("classify") as queue:
        while True:
            try:
                message = queue.get(timeout=patience)
            except SimpleQueue.Empty:
                return found
            message.ack()
            found.append(message.payload[1]["payload"]["job_id"])


def test_many_senders_and_readers_lose_and_double_nothing(tmp_path: Path) -> None:
    url = f"filesystem://{tmp_path}"
    publishers = [CeleryTaskPublisher(make_celery(url, name="tests")) for _ in range(3)]

    def send(sender: int) -> None:
        for number in range(60):
            publishers[sender].wake(Step.CLASSIFY, WakeUp(job_id=f"{sender}-{number}", request_id=""))

    with ThreadPoolExecutor(5) as pool:
        readers = [pool.submit(received, make_celery(url, name="tests"), patience=2.0) for _ in range(2)]
        list(pool.map(send, range(3)))
        got = [job for reader in readers for job in reader.result()]
    assert sorted(got) == sorted(f"{sender}-{number}" for sender in range(3) for number in range(60))
    assert list((tmp_path / "messages").iterdir()) == []


def test_messages_come_in_the_order_they_were_sent(tmp_path: Path) -> None:
    app = make_celery(f"filesystem://{tmp_path}", name="tests")
    for number in range(20):
        CeleryTaskPublisher(app).wake(Step.CLASSIFY, WakeUp(job_id=str(number), request_id=""))
    assert received(app) == [str(number) for number in range(20)]


def test_a_damaged_message_is_dropped_and_the_next_one_read(tmp_path: Path) -> None:
    app = make_celery(f"filesystem://{tmp_path}", name="tests")
    (tmp_path / "messages" / "0_0.classify.msg").write_bytes(b"")
    (tmp_path / "messages" / "0_1.classify.msg").write_bytes(b"{")
    (tmp_path / "control" / "classify.exchange").write_bytes(b"")
    CeleryTaskPublisher(app).wake(Step.CLASSIFY, WakeUp(job_id="good", request_id=""))
    assert received(app) == ["good"]
