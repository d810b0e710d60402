"""The columns of a CSV file, by role."""

from __future__ import annotations

from dataclasses import dataclass, field

from fncast.series.csv.columns.profile import Profile


@dataclass
class Columns:
    """The positions of the columns, by role.

    clock: the time of day, if the time column holds only dates. values, series: of the readings and the series' names.
    is_alone: there is only one column besides the time. series_is_guessed: the series column was chosen only because it
    holds text; it may be a remark on each reading. skipped: columns that are not read, with the reason. harmless: the
    skipped columns without content.
    """

    time: Profile
    clock: int | None
    values: list[int]
    series: list[int]
    is_alone: bool
    series_is_guessed: bool = False
    skipped: dict[str, str] = field(default_factory=dict)
    harmless: set[str] = field(default_factory=set)


def default_header(count: int) -> tuple[str, ...]:
    """The names of `count` columns of a file without a header."""
    if count == 2:
        return ("timestamp", "value")
    return ("timestamp", *(f"column_{number + 2}" for number in range(count - 1)))
