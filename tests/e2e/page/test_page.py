"""The page as people use it, in a real browser against `scenescore up`."""

from pathlib import Path

import pytest
from samples.pictures import encoded, scene
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from servers.scenescore import Embedded
from servers.visitor import AXE, Visitor

FIRST_LOAD_BYTES = 150_000
_WATCH_FOR_THE_FORM = """
new MutationObserver((_, watching) => {
  if (document.querySelector(".zone label") === null) return;
  window.interactiveAfter = performance.now();
  watching.disconnect();
}).observe(document, { childList: true, subtree: true });
"""


def picture(seed: int = 0) -> bytes:
    return encoded(scene(960, 720, seed=seed))


def test_axe_is_there_for_the_audits_of_the_other_tests() -> None:
    if not AXE.exists():
        pytest.skip("the page's accessibility: axe comes with its npm packages")
    assert AXE.read_bytes().startswith(b"/*! axe v")


def test_the_first_load_is_small_quick_and_from_here_alone(visitor: Visitor, tmp_path: Path) -> None:
    watch = visitor.driver.execute_cdp_cmd(
        "Page.addScriptToEvaluateOnNewDocument", {"source": _WATCH_FOR_THE_FORM}
    )
    visitor.open()
    milliseconds = visitor.until(lambda: visitor.script("return window.interactiveAfter"))
    visitor.driver.execute_cdp_cmd("Page.removeScriptToEvaluateOnNewDocument", watch)
    load = visitor.script(
        """const all = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind));
        return { bytes: all.reduce((sum, entry) => sum + entry.transferSize, 0), urls: all.map((entry) => entry.name) }
        """
    )
    assert 0 < load["bytes"] < FIRST_LOAD_BYTES
    assert all(url.startswith(visitor.url) for url in load["urls"])
    # told, not held: it is a second where nothing else runs, and here other tests do
    print(f"first load: {load['bytes'] / 1000:.1f} kB, interactive after {milliseconds:.0f} ms")  # noqa: T201 - by -s
    visitor.click("Options")
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "home")


def test_a_picture_becomes_music_that_is_heard_and_rated(
    visitor: Visitor, running: Embedded, tmp_path: Path
) -> None:
    running.freeze("compose")
    job = visitor.submit(picture())
    visitor.one(".steps .now")
    # what was seen is remembered over a reload, and the stream goes on after it
    visitor.until(
        lambda: visitor.script("return sessionStorage.getItem('scenescore.seen.' + arguments[0])", job)
    )
    visitor.sees("How it feels", seconds=60)
    visitor.driver.refresh()
    visitor.sees("Composing…")
    visitor.photograph(tmp_path, "waiting")
    running.thaw()
    visitor.sees("Your music is ready.", seconds=90)
    visitor.one("[data-player=file]")

    numbers = [cell.text for cell in visitor.driver.find_elements(By.CSS_SELECTOR, ".bars dd")]
    assert sum(float(number.removesuffix(" %")) for number in numbers) == pytest.approx(100, abs=0.5)
    visitor.click("Play")
    visitor.until(lambda: float(visitor.script("return document.querySelector('audio').currentTime")) > 0.3)
    visitor.hears()
    visitor.click("Pause")
    visitor.drag(visitor.one("canvas.roll"), start=0.1, end=0.5)
    half = visitor.script("return document.querySelector('audio').duration / 2")
    assert visitor.position() == pytest.approx(half, abs=2)
    visitor.one(".position").send_keys(Keys.ARROW_RIGHT)
    assert visitor.position() > half - 2
    links = visitor.driver.find_elements(By.CSS_SELECTOR, ".downloads a")
    names = [str(link.get_attribute("download")) for link in links]
    assert len(names) == 5
    assert all(name.startswith("scenescore-") for name in names)

    _rate_by_keyboard(visitor)
    visitor.one(".clips summary").click()
    assert len(visitor.driver.find_elements(By.CSS_SELECTOR, ".clips tbody tr")) >= 10
    assert visitor.audit() == []
    visitor.photograph(tmp_path, "job")
    visitor.driver.refresh()
    visitor.sees("Your music is ready.")
    visitor.until(lambda: visitor.grades() == ["good", "fair"])
    visitor.open()
    assert visitor.one(f"a[href='/jobs/{job}'] img").get_attribute("src").startswith("data:image/jpeg")  # type: ignore[union-attr]
    visitor.one(f"a[href='/jobs/{job}']").click()
    assert visitor.job_id() == job


def _rate_by_keyboard(visitor: Visitor) -> None:
    visitor.click("Save the rating")
    visitor.sees("Choose a grade for the music and one for its fit to the picture first.")
    excellent = visitor.one("input[name=quality]")
    excellent.send_keys(Keys.SPACE, Keys.ARROW_RIGHT, Keys.TAB)
    # the next question, then the name
    visitor.driver.switch_to.active_element.send_keys(Keys.SPACE, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT)
    assert visitor.grades() == ["good", "fair"]
    visitor.click("Save the rating")
    visitor.sees("Write a name first")
    visitor.one(".rating input[type=text]").send_keys("ann", Keys.ENTER)
    visitor.sees("Saved. You can change it at any time.")
    visitor.choose("fit", "poor")
    visitor.click("Change the rating")
    visitor.sees("Saved.")
    visitor.until(lambda: not visitor.button("Change the rating").is_enabled())
    visitor.choose("fit", "fair")
    visitor.click("Change the rating")
    visitor.until(lambda: not visitor.button("Change the rating").is_enabled())


def test_notes_are_played_until_there_is_a_file_and_the_midi_comes_by_itself(
    visitor: Visitor, running: Embedded
) -> None:
    visitor.open()
    visitor.script("localStorage.setItem('scenescore.download-midi', 'yes')")
    running.freeze("render")
    visitor.submit_mix(sad=1)
    visitor.one("[data-player=synthesiser]", seconds=90)
    visitor.click("Loop")
    visitor.click("Play")
    visitor.hears()
    running.thaw()
    visitor.one("[data-player=file]", seconds=60)
    before = visitor.position()
    visitor.until(lambda: visitor.position() > before + 0.2)
    visitor.click("Pause")
    downloads = Path(str(visitor.driver.capabilities["chrome"]["userDataDir"])).parent / "downloads"
    (saved,) = visitor.until(lambda: list(downloads.glob("*.mid")))
    assert saved.name.startswith("scenescore-sad-")
    assert saved.read_bytes().startswith(b"MThd")
    running.freeze("compose")
    visitor.click("Again with another seed")
    visitor.sees("Waiting for a worker; yours is next.")
    again = visitor.job_id()
    visitor.submit_mix(sad=1)
    visitor.sees("Waiting: 1 job comes first.")
    for path in (f"/jobs/{visitor.job_id()}", f"/jobs/{again}"):
        visitor.open(path)
        visitor.click("Stop")
        visitor.sees("This job was stopped.")


def test_a_slow_network_delays_and_a_lost_one_is_told(visitor: Visitor, running: Embedded) -> None:
    running.freeze("compose")
    visitor.open()
    visitor.drop(picture(3) + b"\0" * 300_000)
    visitor.driver.set_network_conditions(latency=50, throughput=200_000)
    visitor.click("Compose")
    visitor.one("progress[aria-label='Sending the picture']")
    visitor.job_id()
    visitor.sees("Stop")
    visitor.offline()
    visitor.click("Stop")
    visitor.sees("The server can't be reached. Check the connection")
    visitor.online()
    visitor.click("Stop")
    visitor.sees("This job was stopped.")
    visitor.click("Same settings, another picture")
    visitor.one(".zone")


def test_failures_say_what_to_do(visitor: Visitor, tmp_path: Path) -> None:
    visitor.open()
    visitor.drop(b"no picture", name="notes.txt", kind="text/plain")
    visitor.sees("This file is no picture that can be read. Choose a JPEG")
    visitor.drop(picture()[:3000])
    visitor.click("Compose")
    visitor.sees("This picture is damaged.")
    assert visitor.audit() == []
    visitor.submit_mix(calm=1)
    visitor.sees("This job failed.", seconds=60)
    visitor.sees("Ask whoever runs this server for clips")
    visitor.photograph(tmp_path, "failed")
    visitor.open("/jobs/0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001")
    visitor.sees("There is nothing here")
    visitor.open("/docs")
    visitor.sees("Submit a picture")


def test_pictures_are_chosen_pasted_and_taken(visitor: Visitor, tmp_path: Path) -> None:
    file = tmp_path / "scene.jpg"
    file.write_bytes(picture(4))
    visitor.open()
    visitor.one("#picture").send_keys(str(file))
    visitor.one(".zone img")
    visitor.click("Remove it")
    visitor.paste(picture(5))
    visitor.one(".zone img")
    visitor.click("Remove it")
    visitor.click("Use the camera")
    visitor.click("Take the picture")
    visitor.one(".zone img")
