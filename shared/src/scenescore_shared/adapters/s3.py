"""Blobs in an S3-compatible store, through boto3."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from scenescore_shared.errors import NotFoundError, TransientError
from scenescore_shared.ports import BlobInfo, check_key

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_s3.literals import BucketLocationConstraintType
    from mypy_boto3_s3.type_defs import CreateBucketConfigurationTypeDef

_CHUNK = 1 << 16
_MISSING = frozenset({"NoSuchKey", "404", "NotFound"})
_ALREADY_THERE = frozenset({"BucketAlreadyOwnedByYou", "BucketAlreadyExists"})
_REGION_WITHOUT_NAME = "us-east-1"
"""Amazon refuses the name of its oldest region as a constraint, and asks for that of any other."""


def make_client(
    *,
    endpoint_url: str | None,
    region: str,
    access_key_id: str,
    secret_access_key: str,
) -> "S3Client":
    return boto3.client(
        "s3",
        endpoint_url=endpoint_url,
        region_name=region,
        aws_access_key_id=access_key_id,
        aws_secret_access_key=secret_access_key,
        config=Config(
            signature_version="s3v4",
            s3={"addressing_style": "path"},
            # checksum trailers, boto3's default, are refused by older S3-compatible stores
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            connect_timeout=3,
            read_timeout=30,
            retries={"mode": "standard", "total_max_attempts": 3},
            # one connection for each request that a worker or the API's thread pool has in flight
            max_pool_connections=50,
        ),
    )


class S3BlobStore:
    """One bucket. `public_client` signs URLs for a host that clients reach: the host is part of a signature."""

    def __init__(self, client: "S3Client", bucket: str, *, public_client: "S3Client | None" = None) -> None:
        self._client = client
        self._bucket = bucket
        self._public_client = public_client

    def create_bucket(self) -> None:
        """Makes the bucket; one that is there already is fine."""
        region = self._client.meta.region_name
        try:
            if region == _REGION_WITHOUT_NAME:
                self._client.create_bucket(Bucket=self._bucket)
            else:
                where: CreateBucketConfigurationTypeDef = {
                    "LocationConstraint": cast("BucketLocationConstraintType", region)
                }
                self._client.create_bucket(Bucket=self._bucket, CreateBucketConfiguration=where)
        except ClientError as error:
            if _code(error) not in _ALREADY_THERE:
                raise _not_answering(error) from error
        except BotoCoreError as error:
            raise _not_answering(error) from error
        # it may be there and somebody else's
        self.ping()

    def put(self, key: str, data: bytes, content_type: str) -> None:
        with _translated(key):
            self._client.put_object(
                Bucket=self._bucket, Key=check_key(key), Body=data, ContentType=content_type
            )

    def get(self, key: str) -> bytes:
        with _translated(key):
            return self._client.get_object(Bucket=self._bucket, Key=check_key(key))["Body"].read()

    def stream(self, key: str) -> Iterator[bytes]:
        with _translated(key):
            body = self._client.get_object(Bucket=self._bucket, Key=check_key(key))["Body"]
        return body.iter_chunks(_CHUNK)

    def delete(self, key: str) -> None:
        try:
            with _translated(key):
                self._client.delete_object(Bucket=self._bucket, Key=check_key(key))
        except NotFoundError:
            # Amazon answers 204 for a missing key, some stores 404
            return

    def list(self, prefix: str) -> Iterator[BlobInfo]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=prefix)
        with _translated(prefix):
            for page in pages:
                for item in page.get("Contents", ()):
                    yield BlobInfo(key=item["Key"], bytes=item["Size"], modified_at=item["LastModified"])

    def presigned_url(
        self, key: str, *, filename: str, content_type: str, valid_for: timedelta
    ) -> str | None:
        if self._public_client is None:
            return None
        return self._public_client.generate_presigned_url(
            "get_object",
            Params={
                "Bucket": self._bucket,
                "Key": check_key(key),
                "ResponseContentType": content_type,
                "ResponseContentDisposition": f'attachment; filename="{filename}"',
            },
            ExpiresIn=int(valid_for.total_seconds()),
        )

    def ping(self) -> None:
        try:
            with _translated(self._bucket):
                self._client.head_bucket(Bucket=self._bucket)
        except NotFoundError:
            raise TransientError(f"The bucket {self._bucket} does not exist (yet).") from None


@contextmanager
def _translated(key: str) -> Iterator[None]:
    """Turns the vendor's errors into ours."""
    try:
        yield
    except ClientError as error:
        if _code(error) in _MISSING:
            raise NotFoundError(f"There is no blob {key}.") from None
        raise _not_answering(error) from error
    except BotoCoreError as error:
        raise _not_answering(error) from error


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _not_answering(error: Exception) -> TransientError:
    return TransientError(f"The object store did not answer as expected: {error}")
