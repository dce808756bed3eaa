"""Which addresses a webhook may be sent to: public ones, and those of networks that the operator names. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

from scenescore_shared.webhook_urls import WebhookUrl

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

Resolver = Callable[[str, int], Sequence[str]]
"""All addresses of a host. Raises OSError."""

_GLOBAL_UNICAST = ip_network("2000::/3")
"""What IANA gives out of IPv6; the rest is reserved, whatever a version of Python thinks of it."""
_NAT64 = ip_network("64:ff9b::/96")
_LOOPBACK = ip_address("127.0.0.1")


class ForbiddenAddressError(Exception):
    """The message is a sentence. It names no address: what an inner name resolves to is nobody's business."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressRules:
    """Plain http goes to `allowed` networks only, https to public addresses as well."""

    allowed: tuple[Network, ...] = ()

    def check_url(self, url: WebhookUrl) -> None:
        """As much as can be said without a lookup. Raises ForbiddenAddressError."""
        known = url.literal
        if known is None and (url.host == "localhost" or url.host.endswith(".localhost")):
            known = _LOOPBACK
        if known is not None:
            self.check(known, secure=url.secure)
        elif not url.secure and not self.allowed:
            raise ForbiddenAddressError("The URL must be https on this server.")

    def resolve(self, url: WebhookUrl, resolver: Resolver) -> list[Address]:
        """The addresses to connect to, each of them checked, from one lookup.

        Raises ForbiddenAddressError, and what the resolver raises.
        """
        literal = url.literal
        found = [literal] if literal else [ip_address(text) for text in resolver(url.host, url.port)]
        if not found:
            raise ForbiddenAddressError("The host's name has no address.")
        for address in found:
            self.check(address, secure=url.secure)
        return found

    def check(self, address: Address, *, secure: bool) -> None:
        """Raises ForbiddenAddressError."""
        if all(self._is_allowed(inner) or (secure and is_public(inner)) for inner in _meant(address)):
            return
        if not secure and all(is_public(inner) for inner in _meant(address)):
            raise ForbiddenAddressError("Plain http goes to this server's own networks only: use https.")
        raise ForbiddenAddressError("The host has an address that is not public.")

    def _is_allowed(self, address: Address) -> bool:
        return any(address in network for network in self.allowed)


def is_public(address: Address) -> bool:
    """Whether the address itself is one of the world's; those inside it are looked at by `_meant`."""
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


def _meant(address: Address) -> Iterator[Address]:
    """Every address that a packet to this one may end at: IPv6 carries IPv4 ones in several ways."""
    if isinstance(address, IPv4Address):
        yield address
    elif address.ipv4_mapped is not None:
        yield address.ipv4_mapped
    elif address in _NAT64:
        yield IPv4Address(int(address) & 0xFFFF_FFFF)
    else:
        yield address
        if address.sixtofour is not None:
            yield address.sixtofour
        if address.teredo is not None:
            yield from address.teredo
