"""The section `webhooks` of OpenAPI: what Scenescore sends. Nobody serves these routes."""

from typing import Annotated, Any

from fastapi import APIRouter, Header

from scenescore_api.webhooks.schemas import JobEvent

router = APIRouter(tags=["webhooks"])

_RESPONSES: dict[int | str, dict[str, Any]] = {
    204: {"description": "The message is yours: it is not sent again"},
    "2XX": {"description": "As 204"},
    410: {"description": "You want no more: this message is not sent again"},
    "default": {
        "description": "Anything else, a redirect too, or no answer within 10 seconds: it is sent again after 5 "
        "seconds, 5 and 30 minutes, 2, 5, 10 and 24 hours, counted from the first attempt. `Retry-After` with 429 "
        "or 503 puts the next attempt off, up to the one after it"
    },
}


def _event(kind: str, when: str) -> None:
    @router.post(
        kind,
        name=kind.replace(".", "_"),
        summary=when,
        responses=_RESPONSES,
        response_model=None,
        status_code=204,
    )
    def event(
        body: JobEvent,
        webhook_id: Annotated[
            str, Header(description="The message's id, the same at each attempt: handle each id once")
        ],
        webhook_timestamp: Annotated[
            int, Header(description="When this attempt was made, in seconds since 1970: refuse old ones")
        ],
        webhook_signature: Annotated[
            str,
            Header(
                description="`v1,` and base64 of HMAC-SHA256 over `{webhook-id}.{webhook-timestamp}.{body}`, one for "
                "each live secret, separated by spaces",
                examples=["v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4="],
            ),
        ],
    ) -> None:
        """To the job's `webhook_url`, signed by the Standard Webhooks specification. Messages may come twice and in
        any order.
        """


_event("job.succeeded", "A job has succeeded")
_event("job.failed", "A job has failed")
_event("job.canceled", "A job was canceled")
