"""What a fuzz target reports, and when it ends."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Until = Callable[[int], bool]
"""Called with the number of inputs tried so far; True ends the target."""

# Failures kept word for word; the others are only counted.
MAX_KEPT = 10
# Of a failing input, so that a report stays readable.
MAX_SHOWN_BYTES = 4096


@dataclass
class Report:
    """The outcome of one target. count: inputs tried. outcomes: how often each right answer was seen. failures: of the
    first few failing inputs what went wrong and the input; failed: how many there were."""

    count: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def passed(self, outcome: str) -> None:
        """One more input that was handled as it should be."""
        self.count += 1
        self.outcomes[outcome] += 1

    def fail(self, reason: str, tried: object) -> None:
        """One more input that was handled wrongly. tried: the input."""
        self.count += 1
        self.failed += 1
        if len(self.failures) < MAX_KEPT:
            shown = tried[:MAX_SHOWN_BYTES] if isinstance(tried, bytes | str) else tried
            self.failures.append(f"input {self.count}: {reason}\n    {shown!r}"[: 4 * MAX_SHOWN_BYTES])

    def crashed(self, error: BaseException, tried: object) -> None:
        """One more input that made the code under test raise what it must not raise."""
        lines = traceback.format_exception(error)[-4:]
        self.fail("".join(lines).strip(), tried)
