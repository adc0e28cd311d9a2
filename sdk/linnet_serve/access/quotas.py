"""Quotas of keys: requests in a minute and tokens in a day, as token buckets."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from linnet_serve.access.principal import Principal
from linnet_serve.errors import over_quota

__all__ = ["Quotas"]

_MINUTE, _DAY = 60.0, 86400.0
# keys and subjects of tokens that are remembered; the one that was quiet longest goes first
_MOST_BUCKETS = 10_000


class _Bucket:
    """A bucket of ``size`` units that fills up in ``seconds``; it may go below zero."""

    def __init__(self, size: int, seconds: float, now: float) -> None:
        self.size, self._rate = size, size / seconds
        self._level, self._at = float(size), now

    def level(self, now: float) -> float:
        self._level = min(float(self.size), self._level + (now - self._at) * self._rate)
        self._at = now
        return self._level

    def take(self, amount: float, now: float) -> None:
        self._level = self.level(now) - amount

    def seconds_until(self, level: float, now: float) -> float:
        return max(0.0, level - self.level(now)) / self._rate


class Quotas:
    """What each key has left. It is kept in memory: a restart of the service fills the buckets."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin with full buckets."""
        self._clock = clock
        self._buckets: OrderedDict[tuple[str, str], _Bucket] = OrderedDict()

    def admit(self, principal: Principal) -> None:
        """Count a request.

        Raises:
            ServiceError: the quota of requests or of tokens is used up (429), with the time to wait.
        """
        now = self._clock()
        tokens = self._bucket(principal.id, "tokens", principal.tokens_per_day, _DAY, now)
        if tokens is not None and tokens.level(now) <= 0:
            raise over_quota("the quota of tokens a day is used up", tokens.seconds_until(1, now))
        requests = self._bucket(principal.id, "requests", principal.requests_per_minute, _MINUTE, now)
        if requests is not None:
            if requests.level(now) < 1:
                raise over_quota("the quota of requests a minute is used up", requests.seconds_until(1, now))
            requests.take(1, now)

    def charge(self, principal: Principal, tokens: int) -> None:
        """Take the tokens of an answered request; they may exceed what was left."""
        now = self._clock()
        if (bucket := self._bucket(principal.id, "tokens", principal.tokens_per_day, _DAY, now)) is not None:
            bucket.take(tokens, now)

    def _bucket(self, owner: str, kind: str, size: int, seconds: float, now: float) -> _Bucket | None:
        if not size:
            return None
        bucket = self._buckets.pop((owner, kind), None)
        if bucket is None or bucket.size != size:
            bucket = _Bucket(size, seconds, now)
        self._buckets[owner, kind] = bucket
        if len(self._buckets) > _MOST_BUCKETS:
            self._buckets.popitem(last=False)
        return bucket
