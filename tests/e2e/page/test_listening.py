"""A listening session as its owner makes it, as listeners without a key go through it, and what comes of it."""

import csv
import io
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from samples.client import Client
from samples.pictures import encoded, scene
from selenium.webdriver.common.by import By
from servers.scenescore import Embedded
from servers.visitor import Visitor


@pytest.fixture
def client(running: Embedded) -> Iterator[Client]:
    with closing(Client(running.url)) as opened:
        yield opened


def test_listeners_rate_blind_and_the_owner_reads_what_they_said(
    visitor: Visitor, client: Client, tmp_path: Path
) -> None:
    jobs = [client.submit(encoded(scene(480, 360, seed=seed)), seconds=10)["id"] for seed in (21, 22)]
    jobs.append(client.submit(None, seconds=10, emotions={"angry": 1})["id"])
    for job in jobs:
        assert client.wait(job)["status"] == "succeeded"
    visitor.open("/listening")
    visitor.sees("There is no session yet.")
    link = _make_session(visitor, tmp_path)
    home = visitor.script("return location.pathname")

    visitor.forget()
    _listen(visitor, link, jobs, tmp_path)
    visitor.forget()
    visitor.open(link)
    visitor.click("Begin without a name")
    visitor.sees("Piece 1 of 3")
    visitor.click("Skip")
    visitor.sees("Piece 2 of 3")

    visitor.open(home)
    visitor.sees("3 of 3")
    visitor.sees("The link was shown once, where this session was made")
    _read_report(visitor, client, tmp_path)
    visitor.click("Close this session")
    visitor.sees("closed on")
    visitor.open(link)
    visitor.sees("This link leads nowhere, or its session is over.")


def _make_session(visitor: Visitor, tmp_path: Path) -> str:
    """Of all three; returns the path of its link."""
    visitor.click("Make a session")
    visitor.click("Make the session")
    visitor.sees("Choose a piece, or several.")
    boxes = visitor.until(lambda: visitor.driver.find_elements(By.CSS_SELECTOR, ".choice li input"))
    # the newest are the first, and other tests may have left some
    for box in boxes[:3]:
        box.click()
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "session-form")
    visitor.click("Make the session of 3")
    visitor.sees("Nobody has listened yet.")
    visitor.sees("Nothing has been rated yet.")
    link = str(visitor.one("input[readonly]").get_attribute("value"))
    assert link.startswith(f"{visitor.url}/listen/scl_")
    visitor.open("/listening")
    visitor.sees("3 pieces · nobody has listened yet")
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "sessions")
    visitor.one(".cards a").click()
    visitor.sees("Nothing has been rated yet.")
    return link.removeprefix(visitor.url)


def _listen(visitor: Visitor, link: str, jobs: list[str], tmp_path: Path) -> None:
    """On a phone, to the end, with a reload and a lost connection."""
    visitor.look(width=390, dark=False)
    visitor.open(link)
    visitor.click("Begin")
    visitor.sees("Write a name first")
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "listen-name")
    visitor.look(width=390, dark=False)
    visitor.one("input[type=text]").send_keys("bo")
    visitor.click("Begin")
    visitor.sees("Piece 1 of 3")
    visitor.one("[data-player=file]")
    visitor.click("Play")
    visitor.hears()
    source = visitor.driver.page_source
    assert [told for told in (*jobs, "lstm", "thesis", "angry") if told in source] == []
    visitor.click("Save and go on")
    visitor.sees("Choose a grade for the music")
    _grade(visitor)
    visitor.sees("Piece 2 of 3")

    visitor.driver.refresh()
    visitor.sees("Piece 2 of 3")
    visitor.sees("Listening as bo")
    # without its files the notes are played
    visitor.block("*/music.ogg", "*/music.mp3", "*/music.wav")
    visitor.click("Back")
    visitor.sees("Piece 1 of 3")
    assert "good" in visitor.grades()
    visitor.one("[data-player=synthesiser]")
    visitor.click("Play")
    visitor.hears()
    visitor.block()
    visitor.click("Go on")
    visitor.sees("Piece 2 of 3")
    visitor.one(".scale")
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "listen")
    visitor.look(width=390, dark=False)
    visitor.offline()
    _grade(visitor)
    visitor.sees("The server can't be reached.")
    visitor.online()
    visitor.click("Save and go on")
    visitor.sees("Piece 3 of 3")
    _grade(visitor)
    visitor.sees("You have rated all 3 pieces as bo.")
    visitor.photograph(tmp_path, "listen-end")


def _grade(visitor: Visitor) -> None:
    visitor.choose("quality", "good")
    if visitor.driver.find_elements(By.NAME, "fit"):
        visitor.choose("fit", "fair")
    visitor.click("Save and go on")


def _read_report(visitor: Visitor, client: Client, tmp_path: Path) -> None:
    quality, fit = (
        visitor.until(
            lambda name=name: (
                visitor.driver.find_element(  # type: ignore[misc]
                    By.XPATH, f"//table[caption[normalize-space()='{name}']]/tbody"
                ).text
            )
        )
        for name in ("Quality of the music", "Fit to the picture")
    )
    assert (quality, fit) == ("bo 0 3 0 0 0 4.00", "bo 0 0 2 0 0 3.00")
    visitor.until(
        lambda: visitor.script(
            "return [...document.querySelectorAll('.charts img')].every((chart) => chart.naturalWidth > 0)"
        )
    )
    visitor.one(".reference summary").click()
    visitor.sees("Listener 1 0 7 7 2 0")
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "session")
    table = client.http.get(str(visitor.button("CSV").get_attribute("href"))).text
    assert {(row["listener"], row["quality"]) for row in csv.DictReader(io.StringIO(table))} == {
        ("bo", "good")
    }
