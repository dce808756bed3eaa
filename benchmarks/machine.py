"""The machine that a benchmark ran on, in a line."""

import os
import platform
from pathlib import Path

import psycopg


def machine() -> str:
    return f"on {os.cpu_count()} cores of {_processor()}, Python {platform.python_version()}"


def postgres_version(url: str) -> str:
    with psycopg.connect(url.replace("+psycopg", "", 1)) as connection:
        return f"PostgreSQL {connection.info.server_version // 10_000}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
