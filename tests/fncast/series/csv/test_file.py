"""Files of readings become series, or an error that names file and line."""

from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fncast.series.csv.file import CsvError, read_csv
from fncast.series.step import Step
from tests.fncast.series.csv.files import read_one, write


def test_a_file_of_times_and_values_is_one_series(tmp_path: Path) -> None:
    series, corrections = read_one(
        tmp_path, "timestamp,value\n2026-01-01 00:00:00,1\n2026-01-01 00:05:00,2.5\n"
    )
    assert (series.name, series.start) == ("cpu", datetime(2026, 1, 1, tzinfo=UTC))
    assert series.step == Step.seconds(300.0)
    assert series.values.tolist() == [1.0, 2.5]
    assert not corrections


@pytest.mark.parametrize(
    ("first", "second", "start", "step"),
    [
        ("1767225600", "1767225601.5", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(1.5)),
        ("1767225600000", "1767225600250", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(0.25)),
        ("1712123112", "1712123113", datetime(2024, 4, 3, 5, 45, 12, tzinfo=UTC), Step.seconds(1.0)),
        (
            "2026-01-01T01:00:00+01:00",
            "2026-01-01T00:00:10Z",
            datetime(2026, 1, 1, tzinfo=UTC),
            Step.seconds(10.0),
        ),
        ("1949", "1950", datetime(1949, 1, 1, tzinfo=UTC), Step.calendar("P1Y")),
        ("1949-01", "1949-02", datetime(1949, 1, 1, tzinfo=UTC), Step.calendar("P1M")),
        ("20260101", "20260102", datetime(2026, 1, 1, tzinfo=UTC), Step.seconds(86400.0)),
    ],
)
def test_each_form_of_time_gives_start_and_step(
    tmp_path: Path, first: str, second: str, start: datetime, step: Step
) -> None:
    series, _ = read_one(tmp_path, f"timestamp,value\n{first},1\n{second},2\n")
    assert (series.start, series.step) == (start, step)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "the file is empty"),
        ("\n \n", "the file is empty"),
        ("timestamp,value\n", "has a header but no readings"),
        ("timestamp\n2026-01-01\n", "has one column only"),
        ("timestamp,value\n2026-01-01,1\n", "has only one reading"),
        ("timestamp,value\n2026-01-01,1\n2026-01-01,1\n", "has only one reading"),
        (
            "timestamp,value\n2026-01-01,1\n2026-01-02,warm\n",
            "line 3: 'warm' is not a number (column 'value')",
        ),
        ("timestamp,value\n2026-01-01,1\n2026-01-02,inf\n", "line 3: 'inf' (column 'value') is not a finite"),
        ("timestamp,value\n2026-01-01,1\n2026-01-02,1e300\n", "line 3: '1e300' (column 'value') is beyond"),
        ("timestamp,value\n2026-01-01,1\nyesterday,2\n", "line 3: 'yesterday' is not a time"),
        ("timestamp,value\n2026-01-01,1\nnan,2\n", "line 3: 'nan' is not a time"),
        ("timestamp,value\n2026-01-01,1\n2026-01-02,2,3\n", "line 3: has 3 fields, the header 2"),
        ("timestamp,a,b,a\n2026-01-01,1,2,3\n2026-01-02,1,2,3\n", "columns 2, 4 have the same name, 'a'"),
        ("time,a,time\n2026-01-01,1,2\n2026-01-02,1,2\n", "columns 1, 3 have the same name, 'time'"),
        (
            "timestamp,a,b,c\n2026-01-01,x,y,1\n2026-01-02,z,y,1\n2026-01-03,z,x,1\n",
            "columns 'a', 'b' hold text",
        ),
        ("timestamp,value\n2026-01-01,1\n".encode("utf-16")[:-1], "is damaged UTF-16 text"),
        (b"\x89PNG\r\n\x1a\n\0\0\0", "is not a text file"),
        ("timestamp,value\n0,1\n1,2\n2,3\n5000000000,4\n", "correct a wrong time"),
    ],
)
def test_errors_name_file_line_and_value(tmp_path: Path, text: str | bytes, sentence: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(CsvError) as caught:
        read_csv(path)
    assert str(path) in str(caught.value)
    assert sentence in str(caught.value)


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(CsvError, match="there is no such file"):
        read_csv(tmp_path / "none.csv")
    with pytest.raises(CsvError, match="is a folder"):
        read_csv(tmp_path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=200)
@given(
    st.binary(max_size=200) | st.text(alphabet='tv,;\n"0123456789-:.eE naif', max_size=200).map(str.encode)
)
def test_any_bytes_are_series_or_a_csv_error(tmp_path: Path, content: bytes) -> None:
    path = write(tmp_path, content)
    try:
        series = read_csv(path)
    except CsvError:
        return
    assert all(np.isfinite(each.values[~np.isnan(each.values)]).all() for each in series)
