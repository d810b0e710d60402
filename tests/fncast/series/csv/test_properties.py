"""Any table, also a damaged one, is read with all its numbers or rejected with one sentence."""

from __future__ import annotations

import random
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fncast.series.csv.file import CsvError, read_csv_file
from tests.fuzz.csv_tables import check, random_table

bounded = settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    max_examples=60,
    deadline=None,
    derandomize=True,
)


@bounded
@given(st.integers(0, 2**32))
def test_every_number_is_in_a_series_or_reported(tmp_path: Path, seed: int) -> None:
    check(random_table(random.Random(seed)), tmp_path)


@bounded
@given(st.integers(0, 2**32), st.data())
def test_a_damaged_file_is_read_or_rejected(tmp_path: Path, seed: int, data: st.DataObject) -> None:
    content = bytearray(random_table(random.Random(seed)).content)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        content[at : at + data.draw(st.integers(0, 3))] = data.draw(
            st.binary(max_size=3) | st.sampled_from([b'"', b",", b";", b"\n", b"#", b"\\N", b"1e9", b"-"])
        )
    path = tmp_path / "damaged.csv"
    path.write_bytes(content)
    try:
        assert read_csv_file(path).series
    except CsvError as error:
        assert "\n" not in str(error)  # noqa: PT017
