"""The report of a fuzz target, and the condition for its end."""

from __future__ import annotations

import traceback
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

Until = Callable[[int], bool]
"""Called with the number of inputs tried so far; True ends the target."""

# Failures that are kept as text; the others are only counted.
MAX_KEPT = 10
# Bytes of a failing input in the report.
MAX_SHOWN_BYTES = 4096


@dataclass
class Report:
    """The results of one target.

    count: number of inputs. failed: number of failing inputs. failures: error and input of the first few of them.
    outcomes: number of inputs by correct outcome.
    """

    count: int = 0
    failed: int = 0
    failures: list[str] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)

    def passed(self, outcome: str) -> None:
        """Count an input that was handled correctly."""
        self.count += 1
        self.outcomes[outcome] += 1

    def fail(self, reason: str, tried: object) -> None:
        """Count an input that was handled wrongly. tried: the input."""
        self.count += 1
        self.failed += 1
        if len(self.failures) < MAX_KEPT:
            shown = tried[:MAX_SHOWN_BYTES] if isinstance(tried, bytes | str) else tried
            self.failures.append(f"input {self.count}: {reason}\n    {shown!r}"[: 4 * MAX_SHOWN_BYTES])

    def crashed(self, error: BaseException, tried: object) -> None:
        """Count an input that made the code under test raise an unexpected error."""
        lines = traceback.format_exception(error)[-4:]
        self.fail("".join(lines).strip(), tried)
