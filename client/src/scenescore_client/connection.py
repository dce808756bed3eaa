"""Requests to one server, and to nobody else with its key."""

import logging
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx2

from scenescore_client.errors import (
    ConnectionFailedError,
    StoreFailedError,
    UnexpectedAnswerError,
    UntrustedServerError,
    UsageError,
)
from scenescore_client.problems import TRANSIENT_STATUSES, problem_of

_KEY = re.compile(r"[\x21-\x7e]+")
_MOST_REDIRECTS = 5
_CONNECT_SECONDS = 10.0
_SERVER_ERRORS = 500


class _WithoutQueries(logging.Filter):
    """httpx2 logs the address of each request, and that of a presigned one opens its file to whoever reads it."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(
                argument.copy_with(query=None) if isinstance(argument, httpx2.URL) else argument
                for argument in record.args
            )
        return True


logging.getLogger("httpx2").addFilter(_WithoutQueries())


class Connection:
    """`url` is the server's, also with a path before `/v1`. Raises UsageError for one that is none, or a key that
    can't be one.
    """

    def __init__(
        self,
        url: str,
        key: str | None,
        *,
        timeout: float,
        transport: httpx2.BaseTransport | None,
    ) -> None:
        self.server = _server(url)
        if key is not None and not _KEY.fullmatch(key):
            raise UsageError("That is no key of a server's: one looks like scs_…, without spaces.")
        self._authorization = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx2.Client(
            timeout=timeouts(timeout), transport=transport, headers={"User-Agent": "scenescore-client"}
        )

    def close(self) -> None:
        self._http.close()

    def json(self, method: str, path: str, **request: Any) -> tuple[Any, httpx2.Response]:
        """The answer's JSON, None where it has no body, and the answer itself, read. Raises as `answer` does."""
        with self.answer(method, path, **request) as response:
            response.read()
        if not response.content:
            return None, response
        try:
            return response.json(), response
        except ValueError:
            raise UnexpectedAnswerError(
                f"What {self.server} answers is no JSON: is Scenescore's API there?"
            ) from None

    @contextmanager
    def answer(self, method: str, path: str, **request: Any) -> Iterator[httpx2.Response]:
        """An answer that is no error, its body still to be read: an error on the way there is translated, too.

        Raises ConnectionFailedError, UntrustedServerError, ProblemError or UnexpectedAnswerError.
        """
        with self._sent(method, path, **request) as response:
            if response.has_redirect_location:
                raise UnexpectedAnswerError(
                    f"{self.server} redirects to {_origin(_target(response))}: if that is the server you mean, name it."
                )
            yield response

    @contextmanager
    def file(self, path: str) -> Iterator[httpx2.Response]:
        """A file's answer, as above: the server's own, or an object store's, which gets no key.

        Raises also StoreFailedError.
        """
        with self._sent("GET", path) as response:
            if not response.has_redirect_location:
                yield response
                return
            url = _target(response)
        for _ in range(_MOST_REDIRECTS):
            with self._fetched(url) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                url = _target(response)
        raise UnexpectedAnswerError(f"The file is sent on and on, last to {_origin(url)}.")

    @contextmanager
    def _sent(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **request: Any
    ) -> Iterator[httpx2.Response]:
        made = self._http.build_request(
            method, f"{self.server}{path}", headers={**(headers or {}), **self._authorization}, **request
        )
        with _translated(self.server), self._open(made) as response:
            if response.is_error:
                response.read()
                raise problem_of(response)
            yield response

    @contextmanager
    def _fetched(self, url: httpx2.URL) -> Iterator[httpx2.Response]:
        """From a store: without the key, whoever that is, and without cookies, which know no ports."""
        made = self._http.build_request("GET", url)
        made.headers.pop("Cookie", None)
        with _translated(_origin(url)), self._open(made) as response:
            status = response.status_code
            if response.is_error:
                raise StoreFailedError(
                    f"The object store {_origin(url)} answered {status} instead of the file.",
                    transient=status in TRANSIENT_STATUSES or status >= _SERVER_ERRORS,
                )
            yield response

    @contextmanager
    def _open(self, request: httpx2.Request) -> Iterator[httpx2.Response]:
        # auth None: else httpx2 would look into the address
        response = self._http.send(request, stream=True, auth=None, follow_redirects=False)
        try:
            yield response
        finally:
            response.close()


def timeouts(seconds: float) -> httpx2.Timeout:
    """So many for the next bytes of an answer; whoever is there at all takes a connection sooner."""
    return httpx2.Timeout(seconds, connect=min(seconds, _CONNECT_SECONDS))


@contextmanager
def _translated(server: str) -> Iterator[None]:
    try:
        yield
    except httpx2.TransportError as error:
        if _distrusts(error):
            raise UntrustedServerError(f"The certificate of {server} can't be trusted: {error}.") from error
        reason = str(error) or type(error).__name__
        raise ConnectionFailedError(f"{server} does not answer ({reason}).") from error
    except httpx2.DecodingError as error:
        raise UnexpectedAnswerError(f"What {server} answers can't be unpacked: {error}.") from error


def _distrusts(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _server(text: str) -> str:
    """The address without a slash at its end."""
    try:
        url = httpx2.URL(text.strip())
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        # what it is instead is not shown: it may hold a password
        raise UsageError("That is no server's address: write it as https://scenescore.example.")
    if url.userinfo:
        raise UsageError("The server's address must hold no user and no password.")
    if url.query or url.fragment:
        raise UsageError("The server's address must end with its path: without ? and #.")
    return str(url).rstrip("/")


def _target(response: httpx2.Response) -> httpx2.URL:
    """Where the answer redirects to. Raises UnexpectedAnswerError for what is not on the web."""
    try:
        url = response.url.join(response.headers["Location"])
    except httpx2.InvalidURL:
        url = httpx2.URL()
    if url.scheme not in {"http", "https"} or not url.host:
        raise UnexpectedAnswerError(f"{_origin(response.url)} redirects to nowhere on the web.")
    if response.url.scheme == "https" and url.scheme != "https":
        raise UnexpectedAnswerError(
            f"{_origin(response.url)} redirects to {_origin(url)}, out of the encryption: that is not followed."
        )
    return url


def _origin(url: httpx2.URL) -> str:
    """Without path and query: they may open something."""
    return f"{url.scheme}://{url.netloc.decode('ascii')}"
