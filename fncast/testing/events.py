"""Events for tests."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

SOURCE = "/test"
_numbers = itertools.count(1)


def window_event(
    values: Sequence[float | None],
    start: str = "2026-01-01T00:00:00Z",
    step_s: float = 3600,
    **attributes: str,
) -> dict[str, Any]:
    """Return an event with a window of readings: a CloudEvent as a dict.

    values: one reading a step, None for a missing one. start: RFC 3339 time of the first. step_s: seconds.
    attributes: of the event, such as `subject` and `destination` (default: "forecast").
    """
    data = {"start": start, "step_s": step_s, "values": list(values)}
    return completed({"destination": "forecast", **attributes, "data": data})


def completed(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return the event, with defaults for required attributes that it lacks. Each call gives a new `id`."""
    defaults = {
        "specversion": "1.0",
        "id": str(next(_numbers)),
        "source": SOURCE,
        "type": "io.fncast.window.v1",
    }
    return {**defaults, **event}
