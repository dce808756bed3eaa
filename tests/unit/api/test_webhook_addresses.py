from collections.abc import Sequence
from ipaddress import ip_address, ip_network

import pytest

from scenescore_api.webhooks.addresses import AddressRules, ForbiddenAddressError, Resolver
from scenescore_shared.webhook_urls import parse_webhook_url

PUBLIC = AddressRules()
INNER = AddressRules(
    allowed=(ip_network("10.1.0.0/16"), ip_network("127.0.0.0/8"), ip_network("fd00:1::/32"))
)

PRIVATE = [
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.0.0.1",
    "100.64.0.1",
    "127.0.0.1",
    "127.255.255.254",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "239.1.2.3",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",  # IPv4-compatible
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "fc00::1",
    "fd00:ec2::254",
    "ff02::1",
    "ff0e::1",
    "2001:db8::1",
    "100::1",
    "::ffff:127.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:127.0.0.1",
    "2002:7f00:1::1",  # 6to4 of 127.0.0.1
    "2002:a9fe:a9fe::1",  # ... of 169.254.169.254
    "64:ff9b::7f00:1",  # NAT64 of 127.0.0.1
    "64:ff9b::a9fe:a9fe",
    "64:ff9b:1::808:808",  # NAT64 of a local operator
    "2001:0:808:808:0:0:80ff:fffe",  # Teredo of 127.0.0.1
    "2001::1",
    "4000::1",
]
WORLD = [
    "8.8.8.8",
    "93.184.216.34",
    "2606:2800:220:1:248:1893:25c8:1946",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
]


@pytest.mark.parametrize("address", PRIVATE)
def test_what_is_not_public_is_refused(address: str) -> None:
    for secure in (True, False):
        with pytest.raises(ForbiddenAddressError) as refused:
            PUBLIC.check(ip_address(address), secure=secure)
        # what an inner name resolves to is nobody's business
        assert address not in str(refused.value)


@pytest.mark.parametrize("address", WORLD)
def test_the_world_is_reached_by_https_only(address: str) -> None:
    PUBLIC.check(ip_address(address), secure=True)
    INNER.check(ip_address(address), secure=True)
    for rules in (PUBLIC, INNER):
        with pytest.raises(ForbiddenAddressError, match="use https"):
            rules.check(ip_address(address), secure=False)


@pytest.mark.parametrize(
    "address", ["10.1.2.3", "127.0.0.1", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd00:1::5"]
)
def test_allowed_networks_are_reached_either_way(address: str) -> None:
    for secure in (True, False):
        INNER.check(ip_address(address), secure=secure)


@pytest.mark.parametrize("address", ["10.2.0.1", "::1", "169.254.169.254", "2002:a01:203::1"])
def test_an_allowed_network_opens_no_other(address: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        INNER.check(ip_address(address), secure=False)


def resolving(*answers: Sequence[str]) -> tuple[Resolver, list[tuple[str, int]]]:
    calls: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> Sequence[str]:
        calls.append((host, port))
        return answers[len(calls) - 1]

    return resolver, calls


def test_a_name_is_looked_up_once_and_every_address_counts() -> None:
    resolver, calls = resolving(["8.8.8.8", "2606:2800::1"])
    url = parse_webhook_url("https://example.com.:8443/")
    assert [str(each) for each in PUBLIC.resolve(url, resolver)] == ["8.8.8.8", "2606:2800::1"]
    assert calls == [("example.com", 8443)]
    for mixed in (["8.8.8.8", "10.0.0.1"], ["::1", "8.8.8.8"], []):
        with pytest.raises(ForbiddenAddressError):
            PUBLIC.resolve(url, resolving(mixed)[0])


def test_a_literal_is_not_looked_up() -> None:
    resolver, calls = resolving(["8.8.8.8"])
    with pytest.raises(ForbiddenAddressError):
        PUBLIC.resolve(parse_webhook_url("https://[::1]/"), resolver)
    assert calls == []


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/",
        "https://localhost./",
        "https://LOCALHOST:8443/",
        "https://a.localhost/",
        "https://127.0.0.1/",
        "https://127.0.0.1./",
        "https://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "https://169.254.169.254/latest/meta-data",
        "http://example.com/",
        "http://8.8.8.8/",
    ],
)
def test_what_can_be_told_without_a_lookup_is_told_at_submission(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        PUBLIC.check_url(parse_webhook_url(url))


def test_the_rest_is_taken_at_submission() -> None:
    PUBLIC.check_url(parse_webhook_url("https://example.com/"))
    for url in ("http://receiver/", "http://10.1.0.9/", "http://localhost:8000/", "https://8.8.8.8/"):
        INNER.check_url(parse_webhook_url(url))
    for url in ("http://10.2.0.9/", "http://8.8.8.8/", "http://[::1]/"):
        with pytest.raises(ForbiddenAddressError):
            INNER.check_url(parse_webhook_url(url))
