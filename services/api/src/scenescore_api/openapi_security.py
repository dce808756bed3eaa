"""What OpenAPI tells of keys and limits: added to the document, since handlers and not routes make these answers."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from scenescore_api.problems import documented
from scenescore_api.sessions import COOKIE, PROOF

SCHEME = "key"
SESSION_SCHEME = "session"

_OPEN_TO_ALL = "/v1/capabilities"
_SESSION = "/v1/session"
_BY_LINK = "/v1/listening/"
"""What a listener's link opens: its token is part of the path, and its session has a limit of its own."""

_INTEGER = {"type": "integer", "minimum": 1}
_CHALLENGE = {
    "WWW-Authenticate": {
        "description": "How to come in (RFC 6750)",
        "schema": {"type": "string"},
        "example": 'Bearer realm="scenescore", error="invalid_token"',
    }
}
_RETRY_AFTER = {
    "Retry-After": {"description": "Seconds after which the request fits again", "schema": _INTEGER}
}
_RATE_LIMITS = {
    "RateLimit-Policy": {
        "description": "The key's limits, or the listening session's: how many requests (q) in how many seconds (w)",
        "schema": {"type": "string"},
        "example": '"default";q=600;w=60',
    },
    "RateLimit": {
        "description": "What is left of them (r), and in how many seconds they are whole again (t)",
        "schema": {"type": "string"},
        "example": '"default";r=599;t=1',
    },
}
_DESCRIPTIONS = {
    "401": "There is no key, or it is not known, or it was revoked",
    "403": "The key lacks the scope that this needs, or a session's cookie came from elsewhere",
    "429": "Too many requests of this key, or too many unfinished jobs of its owner",
}
_LISTENERS_LIMIT = {"429": "Too many requests of this session's listeners"}
_HEADERS = {"401": _CHALLENGE, "403": _CHALLENGE, "429": _RETRY_AFTER}


def describe_security(document: dict[str, Any], *, keys_required: bool) -> None:
    """Adds to each operation who may call it, and the answers to those who may not."""
    document["components"].setdefault("securitySchemes", {})[SESSION_SCHEME] = {
        "type": "apiKey",
        "in": "cookie",
        "name": COOKIE,
        "description": f"Made with a key by `POST {_SESSION}`, for browsers. Methods that change something also need "
        f"the header `{PROOF}`, with any value",
    }
    for path, operations in document["paths"].items():
        for operation in operations.values():
            if "security" not in operation:
                operation["security"] = []
                if path.startswith(_BY_LINK):
                    _add_refusals(operation["responses"], _LISTENERS_LIMIT)
                    _add_rate_limits(operation["responses"])
                continue
            operation["security"] = _ways_in(path, keys_required=keys_required)
            limited = path.startswith("/v1/")
            scoped = path not in {_OPEN_TO_ALL, _SESSION}
            statuses = ["401", *(["403"] if scoped else []), *(["429"] if limited else [])]
            _add_refusals(operation["responses"], {status: _DESCRIPTIONS[status] for status in statuses})
            if limited:
                _add_rate_limits(operation["responses"])


def _ways_in(path: str, *, keys_required: bool) -> list[dict[str, list[str]]]:
    if path == _SESSION:
        return [{SCHEME: []}]
    if path == _OPEN_TO_ALL:
        return [{}, {SCHEME: []}]
    return [*([] if keys_required else [{}]), {SCHEME: []}, {SESSION_SCHEME: []}]


def _add_refusals(responses: dict[str, Any], descriptions: Mapping[str, str]) -> None:
    for status, description in descriptions.items():
        (described,) = documented(HTTPStatus(int(status))).values()
        responses[status] = {**described, "description": description, "headers": _HEADERS[status]}


def _add_rate_limits(responses: dict[str, Any]) -> None:
    for status, response in responses.items():
        if status not in {"401", "default"}:
            response["headers"] = {**response.get("headers", {}), **_RATE_LIMITS}
