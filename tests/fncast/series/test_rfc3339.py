"""Times have the form of RFC 3339, section 5.6, and no other."""

import contextlib
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.series.rfc3339 import format_time, parse_time


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2024-05-01T12:00:00Z", datetime(2024, 5, 1, 12, tzinfo=UTC)),
        ("2099-01-01t00:00:00z", datetime(2099, 1, 1, tzinfo=UTC)),
        ("2024-05-01t12:00:00.25z", datetime(2024, 5, 1, 12, 0, 0, 250_000, tzinfo=UTC)),
        ("2024-05-01T12:00:00.5+02:00", datetime(2024, 5, 1, 10, 0, 0, 500_000, tzinfo=UTC)),
        ("2024-05-01T12:00:00-00:00", datetime(2024, 5, 1, 12, tzinfo=UTC)),
        ("2024-05-01T12:00:00.1234567899Z", datetime(2024, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
        pytest.param(
            "2024-05-01T12:00:00." + "9" * 10_000 + "Z",
            datetime(2024, 5, 1, 12, 0, 0, 999_999, tzinfo=UTC),
            id="long fraction",
        ),
        # RFC 3339, 5.8; a leap second is the first moment of the next day.
        ("1990-12-31T23:59:60Z", datetime(1991, 1, 1, tzinfo=UTC)),
        ("1990-12-31T15:59:60-08:00", datetime(1991, 1, 1, tzinfo=UTC)),
        ("2016-12-31t23:59:60.75z", datetime(2017, 1, 1, tzinfo=UTC)),
        ("1937-01-01T12:00:27.87+00:20", datetime(1937, 1, 1, 11, 40, 27, 870_000, tzinfo=UTC)),
        ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        # After it no moment can be expressed.
        ("9999-12-31T23:59:60Z", datetime.max.replace(tzinfo=UTC)),
        ("9999-12-31T15:59:60.5-08:00", datetime.max.replace(tzinfo=UTC)),
    ],
)
def test_an_rfc_3339_time_is_read(text: str, moment: datetime) -> None:
    assert parse_time(text) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2024-05-01",
        "2024-05-01T12:00:00",
        "2024-05-01 12:00:00Z",
        "2024-05-01_12:00:00Z",
        "20240501T120000Z",
        "20990101T000000Z",
        "2099-01-01T000000Z",
        "2099-W01-1T00:00:00Z",
        "2099-001T00:00:00Z",
        "2099-01-01T00:00Z",
        "2099-01-01T00Z",
        "2099-01-01T00:00:00,5Z",
        "2099-01-01T00:00:00.Z",
        "2099-01-01T00:00:00+0200",
        "2099-01-01T00:00:00+02",
        "2099-01-01T00:00:00+02:00:30",
        "2099-01-01T00:00:00+24:00",
        "2099-01-01T00:00:00 Z",
        "2099-01-01T00:00:00UTC",
        "+2099-01-01T00:00:00Z",
        "99-01-01T00:00:00Z",
        "12099-01-01T00:00:00Z",
        "2099-1-1T0:0:0Z",
        "2099-01-01T24:00:00Z",
        "2099-01-01T00:60:00Z",
        "2099-01-01T00:00:61Z",
        "2024-02-30T00:00:00Z",
        "2024-05-01T12:00:60Z",
        "2024-12-31T23:59:60+01:00",
        "9999-12-31T23:59:60+01:00",
        "9999-11-30T23:58:60Z",
        "0000-01-01T00:00:00Z",
        "2024-05-01T12:00:00Z\n",
        " 2024-05-01T12:00:00Z",
        "٢٠٢٤-05-01T12:00:00Z",
        "1714564800",
        "",
        pytest.param("x" * 10_000, id="long"),
        pytest.param("2024-05-01T12:00:60." + "9" * 10_000 + "Z", id="long fraction of no leap second"),
        None,
        1714564800,
        pytest.param(10**5000, id="huge integer"),
        True,
        [],
    ],
)
def test_rejects_other_forms_of_times(text: object) -> None:
    with pytest.raises(ValueError) as caught:
        parse_time(text)
    assert len(str(caught.value)) < 200


def test_formats_utc_without_a_zero_fraction() -> None:
    assert (
        format_time(datetime(2024, 5, 1, 12, tzinfo=timezone(timedelta(hours=2)))) == "2024-05-01T10:00:00Z"
    )
    assert format_time(datetime(2024, 5, 1, 12, 0, 0, 5, tzinfo=UTC)) == "2024-05-01T12:00:00.000005Z"
    with pytest.raises(ValueError, match="offset"):
        format_time(datetime(2024, 5, 1, 12))


@given(st.datetimes(timezones=st.just(UTC)))
def test_formatted_times_parse_to_the_same_moment(moment: datetime) -> None:
    assert parse_time(format_time(moment)) == moment


@given(st.text("0123456789-:.,TtZz+ W", max_size=30))
def test_any_text_is_a_time_or_a_value_error(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert parse_time(text).tzinfo is not None
