"""Rate limits in Redis, one count for all replicas; without Redis each replica counts for itself."""

import threading
import time
from collections.abc import Sequence

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from scenescore_shared.logs import get_logger
from scenescore_shared.ports import RateLimiter
from scenescore_shared.rate_limits import RateLimit, Standing, standing

_log = get_logger(__name__)

_PATIENCE_SECONDS = 0.2
_PAUSE_SECONDS = 5.0
"""How long a Redis that failed is left alone: while it hangs, one request in so many seconds waits for it."""

# The same count as rate_limits and the in-memory limiter make, by the clock of Redis: replicas' clocks differ.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local full_in, admitted = {}, 1
for i, key in ipairs(KEYS) do
  local regrowth, whole = tonumber(ARGV[2 * i - 1]), tonumber(ARGV[2 * i])
  local full_at = tonumber(redis.call('GET', key) or now)
  full_in[i] = math.min(math.max(full_at - now, 0), whole)
  if full_in[i] + regrowth > whole then admitted = 0 end
end
if admitted == 1 then
  for i, key in ipairs(KEYS) do
    full_in[i] = full_in[i] + tonumber(ARGV[2 * i - 1])
    redis.call('SET', key, string.format('%.0f', now + full_in[i]), 'PX', math.ceil(full_in[i] / 1000) + 1)
  end
end
return {admitted, unpack(full_in)}
"""


class RedisRateLimiter:
    """Asks Redis, briefly. When it is away or hangs, `meanwhile` counts, and Redis is asked again after a pause."""

    def __init__(self, url: str, *, meanwhile: RateLimiter, pause_seconds: float = _PAUSE_SECONDS) -> None:
        self._client = Redis.from_url(
            url,
            socket_timeout=_PATIENCE_SECONDS,
            socket_connect_timeout=_PATIENCE_SECONDS,
            # one try: the client's own would wait and ask again
            retry=Retry(NoBackoff(), 0),
            # without the handshake of a newer one each connection answers sooner
            protocol=2,
        )
        self._script = self._client.register_script(_SCRIPT)
        self._meanwhile = meanwhile
        self._pause = pause_seconds
        self._away = False
        self._ask_again_at = 0.0
        self._lock = threading.Lock()

    def take(self, holder: str, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        if not self._may_ask():
            return self._meanwhile.take(holder, limits)
        try:
            standings = self._ask(holder, limits)
        except RedisError as error:
            self._note(away=True, reason=str(error))
            return self._meanwhile.take(holder, limits)
        self._note(away=False)
        return standings

    def _ask(self, holder: str, limits: Sequence[RateLimit]) -> tuple[Standing, ...]:
        # the braces keep one holder's keys together in a cluster, as a script needs them
        keys = [f"scenescore:limit:{{{holder}}}:{limit.name}" for limit in limits]
        arguments = [number for limit in limits for number in (limit.regrowth, limit.whole)]
        admitted, *full_in = self._script(keys=keys, args=arguments)
        return tuple(
            standing(limit, soon, admitted=bool(admitted))
            for limit, soon in zip(limits, full_in, strict=True)
        )

    def _may_ask(self) -> bool:
        with self._lock:
            if not self._away:
                return True
            if time.monotonic() < self._ask_again_at:
                return False
            # this request tries; the others go on without it
            self._ask_again_at = time.monotonic() + self._pause
            return True

    def _note(self, *, away: bool, reason: str = "") -> None:
        with self._lock:
            changed, self._away = away != self._away, away
            if away:
                self._ask_again_at = time.monotonic() + self._pause
        if changed and away:
            _log.warning("limits_counted_here", reason=reason)
        elif changed:
            _log.info("limits_counted_in_redis")
