"""Where a webhook may go, as far as the URL itself tells. Pure: no lookup."""

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from urllib.parse import urlsplit

MAX_URL_LENGTH = 2_000
_LAST_PORT = 65_535
_MAX_HOST_LENGTH = 253
_DEFAULT_PORTS = {"https": 443, "http": 80}
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookUrl:
    """`host` is in lower case, without brackets and without the root's dot; `target` is path and query."""

    secure: bool
    host: str
    port: int
    target: str

    @property
    def literal(self) -> IPv4Address | IPv6Address | None:
        """The address, where the host is one."""
        return _address(self.host)

    @property
    def host_header(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return (
            host if self.port == _DEFAULT_PORTS["https" if self.secure else "http"] else f"{host}:{self.port}"
        )


def parse_webhook_url(url: str) -> WebhookUrl:
    """Raises ValueError with a reason for the user."""
    if len(url) > MAX_URL_LENGTH:
        raise ValueError(f"the URL may have {MAX_URL_LENGTH:,} characters, not {len(url):,}")
    if not _VISIBLE_ASCII.fullmatch(url):
        raise ValueError(
            "write the URL in visible ASCII characters only: others %-encoded, an international host as xn--…"
        )
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise ValueError("the URL's host or port can't be read; ports are 1 to 65535") from None
    if parts.scheme not in _DEFAULT_PORTS or not host:
        raise ValueError("give an absolute URL, such as https://example.com/hook")
    if "@" in parts.netloc:
        raise ValueError("the URL must hold no user and no password: the signature says who sends")
    if "#" in url:
        raise ValueError("the URL must hold no fragment (#…): it would never be sent")
    if port is not None and not 1 <= port <= _LAST_PORT:
        raise ValueError("the URL's host or port can't be read; ports are 1 to 65535")
    return WebhookUrl(
        secure=parts.scheme == "https",
        host=_checked_host(host.removesuffix(".")),
        port=port or _DEFAULT_PORTS[parts.scheme],
        target=(parts.path or "/") + (f"?{parts.query}" if parts.query else ""),
    )


def _checked_host(host: str) -> str:
    if _address(host) is not None:
        return host
    labels = host.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        # 2130706433, 0x7f.1 and 0177.0.0.1 all mean 127.0.0.1 to some
        raise ValueError("write an IPv4 address as four decimal numbers, such as 192.0.2.7")
    if len(host) > _MAX_HOST_LENGTH or not all(_LABEL.fullmatch(label) for label in labels):
        raise ValueError("the URL's host is no name and no address")
    return host


def _address(host: str) -> IPv4Address | IPv6Address | None:
    if "%" in host:
        # a zone is a matter of this machine, not of a URL
        return None
    try:
        return ip_address(host)
    except ValueError:
        return None
