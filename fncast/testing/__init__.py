"""For the tests of those who build on fncast. See docs/testing.md.

`LocalFncast` runs consumer and functions in the test's process, on an embedded broker. `Fncast` runs all of fncast in
containers. The names are imported on first use: `LocalFncast` needs no Docker client, and `Fncast` no consumer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fncast.lazy_names import lazy_names

if TYPE_CHECKING:
    from fncast.testing.batches import batch_of
    from fncast.testing.errors import ConsumerStopped, NotProcessed
    from fncast.testing.events import window_event
    from fncast.testing.local import LocalFncast, Results
    from fncast.testing.records import DeadLetterRecord, ForecastRecord, InputRecord
    from fncast.testing.stack import Fncast, StackError

__all__ = [
    "ConsumerStopped",
    "DeadLetterRecord",
    "Fncast",
    "ForecastRecord",
    "InputRecord",
    "LocalFncast",
    "NotProcessed",
    "Results",
    "StackError",
    "batch_of",
    "window_event",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "ConsumerStopped": "fncast.testing.errors",
        "DeadLetterRecord": "fncast.testing.records",
        "Fncast": "fncast.testing.stack",
        "ForecastRecord": "fncast.testing.records",
        "InputRecord": "fncast.testing.records",
        "LocalFncast": "fncast.testing.local",
        "NotProcessed": "fncast.testing.errors",
        "Results": "fncast.testing.local",
        "StackError": "fncast.testing.stack",
        "batch_of": "fncast.testing.batches",
        "window_event": "fncast.testing.events",
    },
)
