"""What some cells of a column show about it."""

from __future__ import annotations

import pytest

from fncast.series.csv.columns.profile import Profile, profiles
from tests.fncast.series.csv.tables import column, table


def profile(*cells: str) -> Profile:
    return profiles(column(*cells))[1]


@pytest.mark.parametrize(
    ("cells", "form", "is_clock", "is_text", "is_padded"),
    [
        (("2026-01-01", "2026-01-02"), "text", False, True, False),
        (("08:00", "09:30"), None, True, True, False),
        (("oven", "pump"), None, False, True, False),
        (("1.5", "inf"), "seconds", False, False, False),
        (("007", "012"), "seconds", False, True, True),
        (("1767225600", "1767225660"), "epoch", False, False, False),
    ],
)
def test_the_kind_of_a_column_follows_from_its_cells(
    cells: tuple[str, ...], form: str | None, is_clock: bool, is_text: bool, is_padded: bool
) -> None:
    found = profile(*cells)
    assert (found.form, found.is_clock, found.is_text, found.is_padded) == (
        form,
        is_clock,
        is_text,
        is_padded,
    )


def test_missing_cells_are_left_out() -> None:
    assert profile("n/a", " 7 ", "", "8").cells == ("7", "8")
    assert profile("n/a", "").is_empty
    assert not profile("7").is_empty


def test_a_large_column_is_sampled_from_its_start_to_its_end() -> None:
    cells = [str(number) for number in range(10_000)]
    found = profile(*cells)
    assert len(found.cells) < 1_100
    assert (found.cells[0], found.cells[-1]) == ("0", "9999")


def test_names_are_compared_without_case_and_separators() -> None:
    found = profiles(table("Date.Time,Series - ID\n2026-01-01,1\n"))
    assert [each.key for each in found] == ["date_time", "series_id"]
