"""The time zone of days and months in a column of times."""

from __future__ import annotations

from datetime import UTC, timedelta, timezone

import numpy as np
import pytest

from fncast.series.csv.times.times import Times
from tests.fncast.series.csv.texts import BERLIN

PLUS_1, PLUS_2 = (timezone(timedelta(hours=hours)) for hours in (1, 2))


def times(*offsets: timezone, is_local: bool = False, is_dates: bool = False) -> Times:
    return Times(np.zeros(2), np.full(2, is_local), is_dates, "dates and times", offsets=offsets)


@pytest.mark.parametrize(
    ("found", "zone"),
    [
        (times(), UTC),
        (times(PLUS_1), PLUS_1),
        (times(PLUS_2, PLUS_1), PLUS_2),  # the commonest
        (times(is_local=True), UTC),
    ],
)
def test_without_a_given_zone_the_commonest_offset_counts(found: Times, zone: timezone) -> None:
    assert found.zone(None) == zone


@pytest.mark.parametrize(
    "found", [times(is_local=True), times(PLUS_2, PLUS_1), times(UTC), times(PLUS_1, is_local=True)]
)
def test_a_given_zone_counts_where_the_cells_do_not_agree_on_another(found: Times) -> None:
    assert found.zone(BERLIN) is BERLIN


def test_one_offset_in_all_cells_counts_more_than_a_given_zone() -> None:
    assert times(PLUS_1).zone(BERLIN) == PLUS_1


def test_dates_are_not_converted_to_a_given_zone() -> None:
    assert times(is_local=True, is_dates=True).zone(BERLIN) is UTC
