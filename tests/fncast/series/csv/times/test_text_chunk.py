from __future__ import annotations

import pyarrow as pa
import pytest

from fncast.series.csv.error import CsvError
from fncast.series.csv.times.text_chunk import read_chunk


def failed(cell: int) -> CsvError:
    return CsvError(f"cell {cell}")


def test_dates_and_times_of_day_of_a_chunk_are_split() -> None:
    chunk = read_chunk(
        pa.array(["2024-05-01 06:00", " 2024-05-01T06:00:01.5Z", "2024-05-02 00:00+02:00"]), failed
    )
    assert chunk.dates == [("2024-05-01", 0), ("2024-05-02", 2)]
    assert chunk.codes.tolist() == [0, 0, 1]
    assert chunk.seconds.tolist() == [21_600.0, 21_601.5, -7_200.0]
    assert chunk.is_local.tolist() == [True, False, False]
    assert not chunk.is_dates


def test_a_chunk_of_dates_has_no_times_of_day() -> None:
    assert read_chunk(pa.array(["2024-05-01", "2024-05-02"]), failed).is_dates


@pytest.mark.parametrize("text", ["noon", "2024-05-01 25:00"])
def test_the_first_cell_that_is_not_a_time_is_named(text: str) -> None:
    with pytest.raises(CsvError, match="cell 1"):
        read_chunk(pa.array(["2024-05-01 06:00", text, text]), failed)
