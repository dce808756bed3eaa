from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from scenescore_shared.adapters.redis_limits import RedisRateLimiter
from scenescore_shared.fakes import InMemoryRateLimiter
from scenescore_shared.settings import CommonSettings
from scenescore_shared.wiring import build_engine, build_rate_limiter


@pytest.mark.parametrize(
    ("broker", "kind"),
    [
        ("redis://:hush@127.0.0.1:1/0", RedisRateLimiter),
        ("rediss://:hush@127.0.0.1:1/0?ssl_cert_reqs=required", RedisRateLimiter),
        ("filesystem:///nowhere", InMemoryRateLimiter),
    ],
)
def test_limits_are_counted_where_the_broker_is(broker: str, kind: type) -> None:
    limiter = build_rate_limiter(CommonSettings.model_validate({"broker": {"url": broker}}))
    assert type(limiter) is kind


def test_an_error_of_the_database_tells_no_value(tmp_path: Path) -> None:
    engine = build_engine(CommonSettings(data_dir=tmp_path), application="tests")
    with pytest.raises(OperationalError) as caught, engine.connect() as connection:
        connection.execute(text("SELECT id FROM nowhere WHERE hash = :hash"), {"hash": "hush"})
    engine.dispose()
    assert "nowhere" in str(caught.value)
    assert "hush" not in str(caught.value)
