"""Waits for a condition that nothing reports, in a thread or in an event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any


def eventually(
    condition: Callable[[], Any], within_s: float = 30.0, what: str | Callable[[], str] = "the condition"
) -> Any:
    """Return the value of the condition once it is true. Raises AssertionError after `within_s`.

    what: the condition in words, for the error.
    """
    deadline_s = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline_s:
            raise _too_late(within_s, what)
        time.sleep(0.01)
    return value


async def eventually_async(
    condition: Callable[[], Any], within_s: float = 10.0, what: str | Callable[[], str] = "the condition"
) -> Any:
    """As `eventually`, for a condition that other tasks of this event loop make true."""
    deadline_s = time.monotonic() + within_s
    while not (value := condition()):
        if time.monotonic() > deadline_s:
            raise _too_late(within_s, what)
        await asyncio.sleep(0.002)
    return value


def _too_late(within_s: float, what: str | Callable[[], str]) -> AssertionError:
    return AssertionError(f"not within {within_s:g} s: {what() if callable(what) else what}")
