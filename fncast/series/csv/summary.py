"""The summary of a file: what was read, changed and skipped."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from fncast.foreign_text import clean
from fncast.series.csv.error import MAX_MESSAGE, MAX_SHOWN
from fncast.series.grid import Corrections
from fncast.series.rfc3339 import format_time
from fncast.series.time_series import TimeSeries
from fncast.wording.count import counted

# Bounds the summary, so that the other output stays visible.
MAX_LINES = 20
_MAX_NAMES = 3


@dataclass
class Summary:
    """The series of a file and what a user should know about them.

    skipped: columns and series that were not read, with the reason. harmless: the skipped ones without readings.
    markers: texts for a missing reading, such as `unavailable`, and their counts. units: of the numbers, and the counts
    of their columns. problems_found: problems for `--strict`. notes: how the file was read.
    """

    name: str
    rows: int
    series: list[TimeSeries] = field(default_factory=list)
    corrections: list[Corrections] = field(default_factory=list)
    skipped: dict[str, str] = field(default_factory=dict)
    harmless: set[str] = field(default_factory=set)
    markers: Counter[str] = field(default_factory=Counter)
    units: Counter[str] = field(default_factory=Counter)
    problems_found: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def missing(self) -> int:
        """How many steps of all series have no reading."""
        return sum(each.missing for each in self.corrections)

    @property
    def repeated(self) -> int:
        """How many readings were dropped or replaced because their time repeats."""
        return sum(each.exact_repeats + each.replaced for each in self.corrections)

    @property
    def moved(self) -> int:
        """How many readings were moved to the nearest step."""
        return sum(each.off_grid for each in self.corrections)

    def problems(self) -> list[str]:
        """What `--strict` does not allow: missing, repeated or moved readings, and skipped columns or series."""
        counts = ((self.missing, "missing"), (self.repeated, "repeated"), (self.moved, "moved to a step"))
        found = [f"{counted(count, 'reading')} {what}" for count, what in counts if count]
        found += [f"{what} not read" for what in self.skipped if what not in self.harmless]
        return found + self.problems_found

    def lines(self) -> list[str]:
        """The summary as text: one line, then one for each problem or note. At most MAX_LINES."""
        lines = [f"{self.name}: {self._what()}"]
        lines += [f"  not read: {what}: {reason}" for what, reason in self.skipped.items()]
        lines += [f"  {problem}" for problem in self.problems_found]
        if self.markers:
            texts = ", ".join(
                f"{text!r} {count_text(count)}" for text, count in self.markers.most_common(_MAX_NAMES)
            )
            lines.append(f"  read as missing: {texts}")
        if self.units:
            texts = ", ".join(
                f"{unit!r} in {counted(count, 'column')}"
                for unit, count in self.units.most_common(_MAX_NAMES)
            )
            lines.append(f"  units: {texts}")
        lines += [f"  {note}" for note in self.notes]
        lines += [f"  {each}" for each in self.corrections if each]
        if len(lines) > MAX_LINES:
            lines = [*lines[: MAX_LINES - 1], f"  … and {len(lines) - MAX_LINES + 1} more lines like these"]
        return [clean(line, MAX_MESSAGE) for line in lines]

    def _what(self) -> str:
        parts = [counted(self.rows, "row"), f"{len(self.series):,} series{self._names()}"]
        if self.series:
            first = min(each.start for each in self.series)
            last = max(each.time(len(each) - 1) for each in self.series)
            parts.append(f"{format_time(first)} to {format_time(last)}")
            parts.append(self._steps())
        counts = ((self.missing, "missing"), (self.repeated, "repeated"), (self.moved, "moved"))
        parts.append(", ".join(f"{count:,} {what}" for count, what in counts))
        return "; ".join(parts)

    def _names(self) -> str:
        names = [each.name for each in self.series[:_MAX_NAMES]]
        more = f" and {len(self.series) - _MAX_NAMES:,} more" if len(self.series) > _MAX_NAMES else ""
        return f" ({', '.join(name[:MAX_SHOWN] for name in names)}{more})" if names else ""

    def _steps(self) -> str:
        steps = Counter(_spoken(each) for each in self.series)
        texts = [text for text, _ in steps.most_common(_MAX_NAMES)]
        more = " and others" if len(steps) > _MAX_NAMES else ""
        return f"step{'s' if len(steps) > 1 else ''} {', '.join(texts)}{more}"


def _spoken(series: TimeSeries) -> str:
    data = series.step.as_json()
    return str(data["step"]) if "step" in data else f"{data['step_s']} s"


def count_text(count: int) -> str:
    """A count for a sentence: `once` or `12 times`."""
    return "once" if count == 1 else f"{count:,} times"
