"""The page as people use it, in a real browser against the real processes."""

import time
from pathlib import Path

import pytest
from samples.pictures import encoded, scene
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from servers.scenescore import Stack
from servers.visitor import Visitor

ROOT = Path(__file__).resolve().parents[3]
AXE = ROOT / "services/api/web/node_modules/axe-core/axe.min.js"
FIRST_LOAD_BYTES = 150_000


def picture(seed: int = 0) -> bytes:
    return encoded(scene(960, 720, seed=seed))


def audit(visitor: Visitor) -> None:
    if AXE.exists():
        assert visitor.audit(AXE) == []


def position(visitor: Visitor) -> float:
    return float(visitor.one(".position").get_attribute("value") or 0)


def loudest(visitor: Visitor) -> float:
    """Over some moments: music has rests."""
    levels = []
    for _ in range(20):
        levels.append(float(visitor.one(".level").get_attribute("data-level") or 0))
        time.sleep(0.05)
    return max(levels)


def submit(visitor: Visitor, *, seed: int = 0) -> str:
    visitor.open()
    visitor.drop(picture(seed))
    visitor.click("Compose")
    return visitor.job_id()


def compose_mix(visitor: Visitor, **weights: int) -> str:
    """A job without a picture."""
    visitor.open()
    visitor.click("Options")
    visitor.one(".mix input[type=checkbox]").click()
    for label in visitor.driver.find_elements(By.CSS_SELECTOR, ".mix .field"):
        emotion = label.text.split()[0]
        slider = label.find_element(By.TAG_NAME, "input")
        slider.send_keys(Keys.END if weights.get(emotion) else Keys.HOME)
    visitor.click("Compose")
    return visitor.job_id()


def test_axe_is_there_for_the_audits_of_the_other_tests() -> None:
    if not AXE.exists():
        pytest.skip("the page's accessibility: axe comes with its npm packages")
    assert AXE.read_bytes().startswith(b"/*! axe v")


def test_the_first_load_is_small_quick_and_from_here_alone(visitor: Visitor, tmp_path: Path) -> None:
    visitor.open()
    visitor.one(".zone")
    load = visitor.script(
        """const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
        return { bytes: all.reduce((sum, entry) => sum + entry.transferSize, 0), urls: all.map((entry) => entry.name),
                 ready: Math.max(...all.map((entry) => entry.responseEnd)) }"""
    )
    assert 0 < load["bytes"] < FIRST_LOAD_BYTES
    assert all(url.startswith(visitor.url) for url in load["urls"])
    # a second where nothing else runs; the tests' machine is busy
    assert load["ready"] < 3000
    print(f"first load: {load['bytes'] / 1000:.1f} kB, ready after {load['ready']:.0f} ms")  # noqa: T201 - shown by -s
    visitor.click("Options")
    audit(visitor)
    visitor.photograph(tmp_path, "home")


def test_a_picture_becomes_music_that_is_heard(visitor: Visitor, running: Stack, tmp_path: Path) -> None:
    running.processes["compose"].freeze()
    job = submit(visitor)
    visitor.sees("Stop")
    visitor.one(".steps .now")
    # what was seen is remembered over a reload, and the stream goes on after it
    visitor.until(
        lambda: visitor.script("return sessionStorage.getItem('scenescore.seen.' + arguments[0])", job)
    )
    visitor.sees("How it feels", seconds=60)
    visitor.driver.refresh()
    visitor.sees("Composing")
    visitor.photograph(tmp_path, "waiting")
    running.processes["compose"].thaw()
    visitor.sees("Your music is ready.", seconds=90)
    visitor.one("[data-player=file]")

    numbers = [cell.text for cell in visitor.driver.find_elements(By.CSS_SELECTOR, ".bars dd")]
    assert sum(float(number.removesuffix(" %")) for number in numbers) == pytest.approx(100, abs=0.5)
    visitor.click("Play")
    visitor.until(lambda: float(visitor.script("return document.querySelector('audio').currentTime")) > 0.3)
    assert loudest(visitor) > 0.001
    visitor.click("Pause")
    visitor.drag(visitor.one("canvas.roll"), start=0.1, end=0.5)
    half = visitor.script("return document.querySelector('audio').duration / 2")
    assert position(visitor) == pytest.approx(half, abs=2)
    visitor.one(".position").send_keys(Keys.ARROW_RIGHT)
    assert position(visitor) > half - 2
    links = visitor.driver.find_elements(By.CSS_SELECTOR, ".downloads a")
    names = [str(link.get_attribute("download")) for link in links]
    assert len(names) == 5
    assert all(name.startswith("scenescore-") for name in names)

    visitor.one(".clips summary").click()
    assert len(visitor.driver.find_elements(By.CSS_SELECTOR, ".clips tbody tr")) >= 10
    audit(visitor)
    visitor.photograph(tmp_path, "job")
    visitor.driver.refresh()
    visitor.sees("Your music is ready.")
    visitor.open()
    assert visitor.one(f"a[href='/jobs/{job}'] img").get_attribute("src").startswith("data:image/jpeg")  # type: ignore[union-attr]
    visitor.one(f"a[href='/jobs/{job}']").click()
    assert visitor.job_id() == job


def test_notes_are_played_until_there_is_a_file_and_the_midi_comes_by_itself(
    visitor: Visitor, running: Stack
) -> None:
    visitor.open()
    visitor.script("localStorage.setItem('scenescore.download-midi', 'yes')")
    running.processes["render"].freeze()
    compose_mix(visitor, sad=1)
    visitor.one("[data-player=synthesiser]", seconds=90)
    visitor.click("Loop")
    visitor.click("Play")
    visitor.until(lambda: position(visitor) > 0.3)
    assert loudest(visitor) > 0.001
    running.processes["render"].thaw()
    visitor.one("[data-player=file]", seconds=60)
    before = position(visitor)
    visitor.until(lambda: position(visitor) > before + 0.2)
    visitor.click("Pause")
    downloads = Path(str(visitor.driver.capabilities["chrome"]["userDataDir"])).parent / "downloads"
    (saved,) = visitor.until(lambda: list(downloads.glob("*.mid")))
    assert saved.name.startswith("scenescore-sad-")
    assert saved.read_bytes().startswith(b"MThd")
    visitor.click("Again with another seed")
    visitor.sees("Composing")


def test_a_slow_network_delays_and_a_lost_one_is_told(visitor: Visitor, running: Stack) -> None:
    running.processes["compose"].freeze()
    visitor.open()
    visitor.drop(picture(3) + b"\0" * 300_000)
    visitor.driver.set_network_conditions(latency=50, throughput=200_000)
    visitor.click("Compose")
    visitor.one("progress[aria-label='Sending the picture']")
    visitor.job_id()
    visitor.sees("Stop")
    visitor.driver.set_network_conditions(offline=True, latency=0, throughput=0)
    visitor.click("Stop")
    visitor.sees("The server can't be reached. Check the connection")
    visitor.driver.delete_network_conditions()
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
    audit(visitor)
    compose_mix(visitor, calm=1)
    visitor.sees("This job failed.", seconds=60)
    visitor.sees("Ask whoever runs this server for clips")
    visitor.photograph(tmp_path, "failed")
    visitor.open("/jobs/0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001")
    visitor.sees("There is nothing here")
    visitor.open("/docs")
    visitor.sees("Submit a picture")


def test_pictures_are_pasted_and_taken(visitor: Visitor) -> None:
    visitor.open()
    visitor.paste(picture(5))
    visitor.one(".zone img")
    visitor.click("Remove it")
    visitor.click("Use the camera")
    visitor.click("Take the picture")
    visitor.one(".zone img")


def test_a_key_opens_pictures_sound_and_events(visitor: Visitor, running: Stack, tmp_path: Path) -> None:
    """Another API on the same jobs, which asks for keys."""
    running.environment["SCENESCORE_API__REQUIRE_KEYS"] = "true"
    running.start("api-2")
    key = running.run("scenescore_standalone", "keys", "create", "ann").splitlines()[-2]
    locked = Visitor(visitor.driver, running.url_of("api-2"))
    locked.open()
    locked.sees("Sign in with a key")
    audit(locked)
    locked.photograph(tmp_path, "sign-in")
    field = locked.one("input[type=password]")
    field.send_keys("scs_wrong", Keys.ENTER)
    locked.sees("This key is not known here")
    field.clear()
    field.send_keys(key, Keys.ENTER)
    job = submit(locked, seed=7)
    locked.sees("Your music is ready.", seconds=90)
    assert locked.script("return document.querySelector('.picture').naturalWidth") == 960
    locked.one("[data-player=file]")
    (cookie,) = locked.driver.get_cookies()
    assert (cookie["name"], cookie["httpOnly"], cookie["sameSite"]) == ("scenescore_session", True, "Strict")
    assert key not in locked.script("return JSON.stringify({ ...localStorage, ...sessionStorage })")
    locked.click("Sign out")
    locked.sees("Sign in with a key")
    locked.open(f"/jobs/{job}")
    locked.sees("Sign in with a key")
    assert locked.driver.get_cookies() == []
