from collections.abc import Iterator

import pytest
from servers.working_api import WorkingApi, working_api


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SERVER", "KEY"):
        monkeypatch.delenv(f"SCENESCORE_CLIENT__{name}", raising=False)


@pytest.fixture
def working() -> Iterator[WorkingApi]:
    with working_api() as started:
        yield started
