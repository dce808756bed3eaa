import pytest

from scenescore_api.loopback import is_loopback


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "127.255.0.9", "::1", "localhost", "Localhost.", "a.localhost"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    ["", "::", "10.1.2.3", "128.0.0.1", "localhost.example", "127.0.0.1.example", "notlocalhost"],
)
def test_others(host: str) -> None:
    assert not is_loopback(host)
