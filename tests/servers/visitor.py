"""Somebody who looks at the page: finds by role and name as people do, waits as long as people would."""

import base64
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement

Found = TypeVar("Found")

AXE = Path(__file__).resolve().parents[2] / "services/api/web/node_modules/axe-core/axe.min.js"
"""Comes with the page's npm packages."""
AUDIBLE = 0.001
"""Root mean square: -60 dBFS."""

_DROP = """
const [data, name, type] = arguments;
const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], name, { type }));
const zone = document.querySelector(".zone");
for (const kind of ["dragover", "drop"])
  zone.dispatchEvent(new DragEvent(kind, { dataTransfer: transfer, bubbles: true, cancelable: true }));
"""
_PASTE = """
const [data] = arguments;
const bytes = Uint8Array.from(atob(data), (letter) => letter.charCodeAt(0));
const transfer = new DataTransfer();
transfer.items.add(new File([bytes], "pasted.jpg", { type: "image/jpeg" }));
dispatchEvent(new ClipboardEvent("paste", { clipboardData: transfer }));
"""


class Visitor:
    def __init__(self, driver: Chrome, url: str) -> None:
        self.driver = driver
        self.url = url

    def open(self, path: str = "/") -> None:
        self.driver.get(self.url + path)

    def forget(self) -> None:
        """As a browser that was never here."""
        self.open("/healthz")
        self.driver.delete_all_cookies()
        self.driver.execute_cdp_cmd("Network.clearBrowserCache", {})
        self.driver.execute_script("localStorage.clear(); sessionStorage.clear()")

    def until(self, look: Callable[[], Found | None], *, seconds: float = 30.0) -> Found:
        deadline = time.monotonic() + seconds
        while True:
            try:
                found = look()
            except (NoSuchElementException, StaleElementReferenceException):
                found = None
            if found:
                return found
            assert time.monotonic() < deadline, f"not within {seconds} s: {self.text()[:2000]}"
            time.sleep(0.05)

    def text(self) -> str:
        return self.driver.find_element(By.TAG_NAME, "body").text

    def sees(self, text: str, *, seconds: float = 30.0) -> None:
        self.until(lambda: text in self.text(), seconds=seconds)

    def one(self, selector: str, *, seconds: float = 30.0) -> WebElement:
        return self.until(lambda: self.driver.find_element(By.CSS_SELECTOR, selector), seconds=seconds)

    def button(self, name: str) -> WebElement:
        path = f"//*[self::button or self::a or self::summary][normalize-space()='{name}' or @aria-label='{name}']"
        return self.until(lambda: self.driver.find_element(By.XPATH, path))

    def click(self, name: str) -> None:
        self.until(lambda: self.button(name).is_enabled())
        self.button(name).click()

    def drop(self, data: bytes, *, name: str = "scene.jpg", kind: str = "image/jpeg") -> None:
        self.one(".zone")
        self.driver.execute_script(_DROP, base64.b64encode(data).decode(), name, kind)

    def paste(self, data: bytes) -> None:
        self.one(".zone")
        self.driver.execute_script(_PASTE, base64.b64encode(data).decode())

    def job_id(self) -> str:
        def found() -> str | None:
            path = str(self.driver.execute_script("return location.pathname"))
            return path.removeprefix("/jobs/") if path.startswith("/jobs/") else None

        return self.until(found)

    def drag(self, element: WebElement, *, start: float, end: float) -> None:
        """From one share of the element's width to another."""
        width = element.size["width"]
        actions = ActionChains(self.driver, duration=100)
        actions.move_to_element_with_offset(element, int((start - 0.5) * width), 0).click_and_hold()
        actions.move_by_offset(int((end - start) * width), 0).release().perform()

    def script(self, code: str, *arguments: Any) -> Any:
        return self.driver.execute_script(code, *arguments)

    def choose(self, question: str, grade: str) -> None:
        self.one(f"input[name={question}][value={grade}]").click()

    def grades(self) -> list[str]:
        """Those that are chosen."""
        chosen = self.driver.find_elements(By.CSS_SELECTOR, ".scale :checked")
        return [str(radio.get_attribute("value")) for radio in chosen]

    def submit(self, picture: bytes) -> str:
        """From the first page; returns the job's id."""
        self.open()
        self.drop(picture)
        self.click("Compose")
        return self.job_id()

    def submit_mix(self, **weights: int) -> str:
        """A job without a picture."""
        self.open()
        self.click("Options")
        self.one(".mix input[type=checkbox]").click()
        for label in self.driver.find_elements(By.CSS_SELECTOR, ".mix .field"):
            slider = label.find_element(By.TAG_NAME, "input")
            slider.send_keys(Keys.END if weights.get(label.text.split()[0]) else Keys.HOME)
        self.click("Compose")
        return self.job_id()

    def position(self) -> float:
        """Of the music, in seconds, as the page shows it."""
        return float(self.one(".position").get_attribute("value") or 0)

    def hears(self) -> None:
        """That the music goes on, and that what comes out is no silence: music has rests, so not at every moment."""
        before = self.position()
        self.until(lambda: self.position() > before + 0.2)
        self.until(lambda: float(self.one(".level").get_attribute("data-level") or 0) > AUDIBLE, seconds=5)

    def offline(self) -> None:
        self.driver.set_network_conditions(offline=True, latency=0, throughput=0)

    def online(self) -> None:
        self.driver.delete_network_conditions()
        self.block()

    def block(self, *urls: str) -> None:
        """Lets nothing come from there."""
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": list(urls)})

    def audit(self) -> list[str]:
        """What axe finds that is serious or worse; nothing where it is not installed."""
        if not AXE.exists():
            return []
        self.driver.execute_script(AXE.read_text(encoding="utf-8"))
        found = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1]; axe.run().then((r) => done(JSON.stringify(r.violations)))"
        )
        return [
            f"{rule['id']} ({rule['impact']}): {node['target']} {node['failureSummary']}"
            for rule in json.loads(found)
            if rule["impact"] in {"serious", "critical"}
            for node in rule["nodes"]
        ]

    def look(self, *, width: int, dark: bool) -> None:
        """At a screen of that width, in light or dark."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def photograph(self, folder: Path, name: str) -> None:
        """The whole page at 390 and 1280 px, in light and dark."""
        for width in (390, 1280):
            for dark in (False, True):
                self.look(width=width, dark=dark)
                self.until(lambda w=width: self.script("return innerWidth") == w)  # type: ignore[misc]
                size = self.driver.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
                assert size["width"] <= width, f"{name} is wider than {width} px"
                clip = {"x": 0, "y": 0, "width": width, "height": size["height"], "scale": 1}
                options = {"captureBeyondViewport": True, "clip": clip}
                shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", options)
                path = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                path.write_bytes(base64.b64decode(shot["data"]))
        self.look(width=1280, dark=False)

    def complaints(self) -> list[str]:
        """What the browser wrote to its console as an error, but for answers that the page is told of itself."""
        entries = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [
            entry["message"]
            for entry in entries
            if entry["level"] == "SEVERE" and "Failed to load resource" not in entry["message"]
        ]
