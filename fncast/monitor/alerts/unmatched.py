"""Finds alert rules that match no series, for example because of a typing mistake in the glob."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection, Sequence

from fncast.foreign_text import clean
from fncast.monitor.alerts.alert import AlertRule

log = logging.getLogger(__name__)

# A rule is reported once it has matched no series for this long.
AFTER_S = 3600.0
LOOK_EVERY_S = 60.0


class UnmatchedRules:
    """The rules that have matched no series since the start. now_s: seconds of any monotonic clock."""

    def __init__(self, rules: Sequence[AlertRule], now_s: float) -> None:
        self.rules = list(rules)
        self._due_s = now_s + AFTER_S

    def match(self, series: Collection[str], now_s: float) -> list[AlertRule]:
        """Compare with the series that are known now. Returns the rules to report, each once."""
        self.rules = [rule for rule in self.rules if not any(map(rule.matches, series))]
        if now_s < self._due_s:
            return []
        found, self.rules = self.rules, []
        return found


async def report_unmatched(
    rules: Sequence[AlertRule],
    known: Callable[[], Collection[str]],
    clock: Callable[[], float],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Log each rule that matches no series within an hour.

    known: returns the names of the series. clock: monotonic, in seconds.
    """
    unmatched = UnmatchedRules(rules, clock())
    while unmatched.rules:
        await sleep(LOOK_EVERY_S)
        series = known()
        for rule in unmatched.match(series, clock()):
            log.warning(
                'alert rule "%s": no series has matched "%s" since the start, %d minutes ago; this process knows %d'
                " series. Check `series` in [[alerts]], or ignore this if another process has its series",
                clean(rule.name, 64),
                clean(rule.series, 128),
                AFTER_S / 60,
                len(series),
            )
