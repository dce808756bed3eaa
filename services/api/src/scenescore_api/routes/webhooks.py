"""`/v1/webhooks` and a job's deliveries: secrets, the log, replays."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path

from scenescore_api.problems import documented
from scenescore_api.routes.dependencies import FOR_JOBS, CallerOf, Service
from scenescore_api.webhooks.schemas import (
    DeliveryList,
    DeliveryView,
    NewSecretView,
    SecretList,
    delivery_view,
    secret_view,
)

router = APIRouter(prefix="/v1", tags=["webhooks"], dependencies=FOR_JOBS)

_UNAVAILABLE = HTTPStatus.SERVICE_UNAVAILABLE


@router.post(
    "/webhooks/secrets",
    status_code=HTTPStatus.CREATED,
    summary="Make a webhook secret",
    responses={
        201: {
            "description": "The secret: it is not shown again",
            "links": {
                "revoke": {
                    "operationId": "revoke_webhook_secret_v1_webhooks_secrets__secret_id__delete",
                    "parameters": {"secret_id": "$response.body#/id"},
                    "description": "End it",
                }
            },
        },
        **documented(
            HTTPStatus.CONFLICT,
            HTTPStatus.UNPROCESSABLE_ENTITY,
            _UNAVAILABLE,
            descriptions={
                HTTPStatus.CONFLICT: "There are five already: revoke one first",
                HTTPStatus.UNPROCESSABLE_ENTITY: "This server sends no webhooks: it has no signing key",
            },
        ),
    },
)
def create_webhook_secret(service: Service, caller: CallerOf) -> NewSecretView:
    """Every webhook is signed with each secret that lives when it is sent. To rotate, make a new one, teach it to
    your receivers, then revoke the old one.
    """
    name, secret = service.webhooks.create_secret(caller)
    return NewSecretView(**secret_view(name).model_dump(), secret=secret)


@router.get("/webhooks/secrets", summary="List the webhook secrets", responses=documented(_UNAVAILABLE))
def list_webhook_secrets(service: Service, caller: CallerOf) -> SecretList:
    """Their names and times, not the secrets. Revoked ones are gone from it."""
    return SecretList(data=[secret_view(secret) for secret in service.webhooks.live_secrets(caller)])


@router.delete(
    "/webhooks/secrets/{secret_id}",
    status_code=HTTPStatus.NO_CONTENT,
    summary="Revoke a webhook secret",
    responses=documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
)
def revoke_webhook_secret(
    secret_id: Annotated[str, Path(examples=["whs_5f2d8f1c9be04a37a6d1c0e2"])],
    service: Service,
    caller: CallerOf,
) -> None:
    """At once, for messages that wait to be sent too."""
    service.webhooks.revoke_secret(secret_id, caller)


@router.get(
    "/jobs/{job_id}/webhook-deliveries",
    summary="What became of a job's webhook",
    responses=documented(HTTPStatus.NOT_FOUND, _UNAVAILABLE),
)
def list_webhook_deliveries(
    job_id: Annotated[str, Path(examples=["0197f2a0-5c1e-7d3a-9b52-3f6c1de0a001"])],
    service: Service,
    caller: CallerOf,
) -> DeliveryList:
    """One message once the job has ended, with its attempts; none before, or without `webhook_url`."""
    job = service.get(job_id, caller)
    return DeliveryList(data=[delivery_view(*entry) for entry in service.webhooks.log_of(job.id)])


@router.post(
    "/webhooks/deliveries/{delivery_id}/replay",
    status_code=HTTPStatus.ACCEPTED,
    summary="Send a message again",
    responses={
        202: {"description": "It is sent again within a second or so, on a fresh schedule"},
        **documented(
            HTTPStatus.NOT_FOUND,
            HTTPStatus.CONFLICT,
            _UNAVAILABLE,
            descriptions={HTTPStatus.CONFLICT: "An attempt is under way just now"},
        ),
    },
)
def replay_webhook_delivery(
    delivery_id: Annotated[str, Path(examples=["msg_9c1d5a7e0b3f4826a1d2c3b4e5f60718"])],
    service: Service,
    caller: CallerOf,
) -> DeliveryView:
    """The same bytes under the same `webhook-id`, also where it was delivered, failed or gone."""
    return delivery_view(*service.webhooks.replay(delivery_id, caller))
