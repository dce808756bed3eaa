"""Sends one message over HTTP, to the very address that was checked, within a fixed time."""

import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http.client import HTTPException

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError

from scenescore_api.webhooks.addresses import Address, AddressRules, ForbiddenAddressError, Resolver
from scenescore_api.webhooks.schedule import Answer
from scenescore_shared.webhook_urls import WebhookUrl

_MOST_ADDRESSES = 4
_MOST_ANSWER_BYTES = 4_096
"""Enough to let a polite receiver end its answer; nobody looks at it."""

_SENTENCES: Sequence[tuple[type[BaseException], str]] = (
    (ssl.SSLError, "The receiver and this server could not agree on TLS."),
    (ConnectionRefusedError, "The receiver refused the connection."),
    (ConnectionError, "The receiver closed the connection without an answer."),
    (HTTPException, "The receiver's answer was no HTTP."),
    (BaseException, "The receiver could not be reached."),
)


def look_up(host: str, port: int) -> Sequence[str]:
    """The resolver of the system. Raises OSError."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Deadline:
    def __init__(self, seconds: float) -> None:
        self._at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        """Seconds, never quite none: sockets take 0 for "do not wait"."""
        return max(0.001, self._at - time.monotonic())

    @property
    def passed(self) -> bool:
        return time.monotonic() >= self._at


@dataclass(frozen=True, slots=True, kw_only=True)
class Sender:
    """No redirect is followed, no proxy of the environment used, no certificate taken that the system's
    authorities did not sign.
    """

    rules: AddressRules
    timeout_seconds: float
    user_agent: str
    resolver: Resolver = look_up
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context)

    def send(self, url: WebhookUrl, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Never raises for what a receiver or the network does."""
        deadline = Deadline(self.timeout_seconds)
        try:
            addresses = self._addresses(url, deadline)
            with closing(self._connected(url, addresses, deadline)) as connection:
                return self._post(connection, url, body, headers, deadline)
        except ForbiddenAddressError as error:
            return Answer(error=str(error))
        except socket.gaierror:
            return Answer(error="The host's name could not be looked up.")
        except (HTTPError, HTTPException, OSError, UnicodeError) as error:
            return Answer(error=self._sentence(error, deadline))

    def _addresses(self, url: WebhookUrl, deadline: Deadline) -> list[Address]:
        """`AddressRules.resolve`, given up at the deadline: the system's lookup knows no limit of time."""
        found: list[Address] = []
        failure: list[Exception] = []

        def resolve() -> None:
            try:
                found.extend(self.rules.resolve(url, self.resolver))
            except Exception as error:  # noqa: BLE001 - raised again by whoever waits
                failure.append(error)

        thread = threading.Thread(target=resolve, name="webhook-lookup", daemon=True)
        thread.start()
        thread.join(deadline.left)
        if thread.is_alive():
            raise TimeoutError
        if failure:
            raise failure[0]
        return found

    def _connected(self, url: WebhookUrl, addresses: Sequence[Address], deadline: Deadline) -> HTTPConnection:
        """To the first address that takes the connection. Raises what the last one raised."""
        *others, last = addresses[:_MOST_ADDRESSES]
        for address in others:
            with suppress(HTTPError, OSError):
                return self._connect(url, address, deadline)
            if deadline.passed:
                raise TimeoutError
        return self._connect(url, last, deadline)

    def _connect(self, url: WebhookUrl, address: Address, deadline: Deadline) -> HTTPConnection:
        connection: HTTPConnection
        if url.secure:
            connection = _PinnedTls(
                str(address), url.port, deadline, server_hostname=url.host, ssl_context=self.tls
            )
        else:
            connection = HTTPConnection(str(address), url.port, timeout=deadline.left)
        try:
            connection.connect()
        except BaseException:
            connection.close()
            raise
        return connection

    def _post(
        self,
        connection: HTTPConnection,
        url: WebhookUrl,
        body: bytes,
        headers: Mapping[str, str],
        deadline: Deadline,
    ) -> Answer:
        all_headers = {
            **headers,
            "Host": url.host_header,
            "Content-Type": "application/json",
            "User-Agent": self.user_agent,
            "Connection": "close",
        }
        with _cut_off_at(deadline, connection.sock):
            connection.request("POST", url.target, body, all_headers, preload_content=False)
            with closing(connection.getresponse()) as response:
                if deadline.passed:
                    # headers that were cut off look like whole ones
                    raise TimeoutError
                # the answer stands, whatever becomes of its body
                with suppress(HTTPError, HTTPException, OSError):
                    response.read(_MOST_ANSWER_BYTES, decode_content=False)
                return Answer(status_code=response.status, retry_after=response.headers.get("Retry-After"))

    def _sentence(self, error: Exception, deadline: Deadline) -> str:
        """For the job's owner: nothing of what the receiver said, and nothing of this machine."""
        cause = error.__cause__ if isinstance(error, HTTPError) and error.__cause__ else error
        if deadline.passed or isinstance(cause, TimeoutError):
            return f"There was no whole answer within {self.timeout_seconds:g} s."
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"The receiver's certificate is not good: {cause.verify_message.rstrip('.')}."
        return next(sentence for kind, sentence in _SENTENCES if isinstance(cause, kind))


class _PinnedTls(HTTPSConnection):
    """To one address, whose certificate must be that of `server_hostname`. The handshake keeps to the deadline."""

    def __init__(
        self,
        address: str,
        port: int,
        deadline: Deadline,
        *,
        server_hostname: str,
        ssl_context: ssl.SSLContext,
    ) -> None:
        super().__init__(
            address, port, timeout=deadline.left, server_hostname=server_hostname, ssl_context=ssl_context
        )
        self._deadline = deadline

    def _new_conn(self) -> socket.socket:
        connected = super()._new_conn()
        connected.settimeout(self._deadline.left)
        return connected


@contextmanager
def _cut_off_at(deadline: Deadline, connected: socket.socket | None) -> Iterator[None]:
    """Ends every wait for the socket at the deadline. Its own timeout counts anew with each byte that drips in."""
    if connected is None:
        raise ConnectionError("not connected")

    def cut_off() -> None:
        with suppress(OSError):
            # the plain socket's: that of a TLS socket also takes apart what another thread is reading from
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = threading.Timer(deadline.left, cut_off)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
