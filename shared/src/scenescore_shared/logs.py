"""Structured logs: one line an event, with the job's and the request's id wherever one is known."""

import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import structlog

from scenescore_shared.api_keys import redacted
from scenescore_shared.settings import LogSettings

_PROCESSORS: list[structlog.typing.Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def configure_logging(settings: LogSettings, *, service: str) -> None:
    """Sends structlog's and the standard library's records (uvicorn, Celery) through one formatter to stderr."""
    as_json = (settings.format or ("console" if sys.stderr.isatty() else "json")) == "json"
    # the plain formatter: a fancy one would print local variables, secrets among them
    renderer: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if as_json
        else [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(
        _KeylessFormatter(
            foreign_pre_chain=_PROCESSORS,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(settings.level.upper())
    structlog.configure(
        processors=[*_PROCESSORS, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    structlog.contextvars.bind_contextvars(service=service)


class _KeylessFormatter(structlog.stdlib.ProcessorFormatter):
    """The last place that every line passes: whatever put a key into one, a client's path or a traceback."""

    def format(self, record: logging.LogRecord) -> str:
        return redacted(super().format(record))


def get_logger(name: str) -> structlog.stdlib.BoundLogger:
    logger: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return logger


@contextmanager
def log_context(**ids: str) -> Iterator[None]:
    """Every record made inside carries `ids`."""
    with structlog.contextvars.bound_contextvars(**ids):
        yield
