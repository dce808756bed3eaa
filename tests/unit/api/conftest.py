from collections.abc import Iterator

import pytest
from samples.api import Api, api_on_fakes


@pytest.fixture
def api() -> Iterator[Api]:
    with api_on_fakes() as on_fakes:
        yield on_fakes
