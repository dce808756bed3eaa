import pytest

from scenescore_shared.webhook_urls import WebhookUrl, parse_webhook_url


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://Example.com", WebhookUrl(secure=True, host="example.com", port=443, target="/")),
        (
            "https://example.com.:8443/a/b?c=d&e",
            WebhookUrl(secure=True, host="example.com", port=8443, target="/a/b?c=d&e"),
        ),
        ("http://receiver:80/x", WebhookUrl(secure=False, host="receiver", port=80, target="/x")),
        ("https://[2001:DB8::1]/", WebhookUrl(secure=True, host="2001:db8::1", port=443, target="/")),
        (
            "https://xn--bcher-kva.example/",
            WebhookUrl(secure=True, host="xn--bcher-kva.example", port=443, target="/"),
        ),
        (
            "https://my_host.example?x",
            WebhookUrl(secure=True, host="my_host.example", port=443, target="/?x"),
        ),
    ],
)
def test_a_good_url_is_taken_apart(url: str, expected: WebhookUrl) -> None:
    assert parse_webhook_url(url) == expected


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "visible ASCII"),
        ("example.com/hook", "absolute URL"),
        ("/hook", "absolute URL"),
        ("//example.com/hook", "absolute URL"),
        ("ftp://example.com", "absolute URL"),
        ("https://", "absolute URL"),
        ("https:///hook", "absolute URL"),
        ("https://:443/", "absolute URL"),
        ("https://user@example.com/", "no user"),
        ("https://user:secret@example.com/", "no user"),
        ("https://@example.com/", "no user"),
        ("https://example.com\\@127.0.0.1/", "no user"),
        ("https://example.com/#part", "no fragment"),
        ("https://example.com/#", "no fragment"),
        ("https://example.com:0/", "1 to 65535"),
        ("https://example.com:65536/", "1 to 65535"),
        ("https://example.com:x/", "1 to 65535"),
        ("https://[::1", "can't be read"),
        ("https://[fe80::1%25eth0]/", "no name and no address"),
        ("https://exa mple.com/", "visible ASCII"),
        ("https://example.com/\nHost: x", "visible ASCII"),
        (" https://example.com/", "visible ASCII"),
        ("https://bücher.example/", "xn--"),
        ("https://example..com/", "no name and no address"),
        ("https://example.com../", "no name and no address"),
        ("https://./", "no name and no address"),
        ("https://-a.example/", "no name and no address"),
        ("https://a!b.example/", "no name and no address"),
        (f"https://{'a' * 64}.example/", "no name and no address"),
        (f"https://{'a.' * 130}example/", "no name and no address"),
        ("https://2130706433/", "four decimal numbers"),
        ("https://0x7f000001/", "four decimal numbers"),
        ("https://0x7f.1/", "four decimal numbers"),
        ("https://0177.0.0.1/", "four decimal numbers"),
        ("https://127.1/", "four decimal numbers"),
        ("https://256.0.0.1/", "four decimal numbers"),
        ("https://example.com/" + "a" * 2_000, "2,000 characters"),
    ],
)
def test_a_url_that_could_not_be_sent_to_is_refused(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_webhook_url(url)


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("https://example.com./", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
        ("http://example.com/", "example.com"),
        ("http://[::1]:8080/", "[::1]:8080"),
    ],
)
def test_the_host_header_is_as_the_receiver_knows_itself(url: str, header: str) -> None:
    assert parse_webhook_url(url).host_header == header
