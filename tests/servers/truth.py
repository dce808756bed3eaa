"""What the database and the bucket themselves hold, past every service of Scenescore."""

from collections.abc import Mapping
from contextlib import closing
from typing import Any

import psycopg
from psycopg.rows import DictRow, dict_row

from scenescore_shared.adapters.s3 import S3BlobStore, make_client


class Truth:
    """Reads where the settings of a stack point."""

    def __init__(self, settings: Mapping[str, str]) -> None:
        self._database = settings["SCENESCORE_DATABASE__URL"].replace("+psycopg", "")
        client = make_client(
            endpoint_url=settings["SCENESCORE_STORAGE__ENDPOINT_URL"],
            region="us-east-1",
            access_key_id=settings["SCENESCORE_STORAGE__ACCESS_KEY_ID"],
            secret_access_key=settings["SCENESCORE_STORAGE__SECRET_ACCESS_KEY"],
        )
        self.blobs = S3BlobStore(client, settings["SCENESCORE_STORAGE__BUCKET"])

    def job(self, job_id: str) -> DictRow:
        (row,) = self._rows("SELECT * FROM jobs WHERE id = %s", job_id)
        return row

    def jobs(self) -> list[DictRow]:
        return self._rows("SELECT * FROM jobs ORDER BY id")

    def asked_for_by(self, request_id: str) -> list[DictRow]:
        return self._rows("SELECT * FROM jobs WHERE request_id = %s", request_id)

    def statuses(self, job_id: str) -> list[str]:
        """One for each event, in order. Their numbers have no gap and end with the row's."""
        rows = self._rows(
            "SELECT seq, data->>'status' AS status FROM job_events WHERE job_id = %s ORDER BY seq", job_id
        )
        assert [row["seq"] for row in rows] == list(range(1, self.job(job_id)["seq"] + 1))
        return [row["status"] for row in rows]

    def all_statuses(self) -> dict[str, list[str]]:
        """As `statuses`, of every job at once."""
        rows = self._rows(
            "SELECT job_id::text AS id, array_agg(data->>'status' ORDER BY seq) AS statuses, "
            "min(seq) AS first, max(seq) AS last FROM job_events GROUP BY job_id"
        )
        assert all((row["first"], row["last"]) == (1, len(row["statuses"])) for row in rows)
        return {row["id"]: row["statuses"] for row in rows}

    def unfinished(self) -> int:
        (row,) = self._rows("SELECT count(*) AS number FROM jobs WHERE status IN ('queued', 'running')")
        return int(row["number"])

    def keys(self, job_id: str | None = None) -> set[str]:
        """Of the blobs of one job, or of all."""
        return {blob.key for blob in self.blobs.list(f"jobs/{job_id}/" if job_id else "jobs/")}

    def unnamed_keys(self) -> set[str]:
        """Blobs of jobs that no row names."""
        return self.keys() - {key for row in self.jobs() for key in named_keys(row)}

    def _rows(self, query: str, *values: Any) -> list[DictRow]:
        with closing(psycopg.connect(self._database, connect_timeout=2, row_factory=dict_row)) as connection:
            return connection.execute(query, values).fetchall()


def named_keys(row: DictRow) -> set[str]:
    pictures = [row["picture"]] if row["picture"] else []
    return {file["blob_key"] for file in [*pictures, *row["outputs"]]}
