"""Rows are packed without loss."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fncast.monitor.packed_rows import PackedRows

FINITE = st.floats(allow_nan=False, allow_infinity=False)
ROUNDED = st.builds(lambda value, digits: round(value, digits), st.floats(-1e6, 1e6), st.integers(0, 12))
ROWS = st.lists(st.tuples(*[FINITE | ROUNDED] * 3), max_size=5) | st.lists(
    st.tuples(*[ROUNDED] * 3), max_size=5
)


@given(ROWS)
def test_packed_rows_are_the_rows(rows: list[tuple[float, float, float]]) -> None:
    packed = PackedRows(rows)
    scale, data = msgspec.msgpack.decode(msgspec.msgpack.encode(packed.state()))
    for found in (packed, PackedRows.restored(scale, data)):
        assert [found[at] for at in range(len(found))] == rows


@pytest.mark.parametrize(
    ("row", "size"),
    [((48.25, 50.0, 51.7312), 12), ((1 / 3, 0.5, 0.75), 24), ((0.0, 0.0, 3e9), 24), ((-2.5, 0.0, 1e-9), 24)],
)
def test_rounded_numbers_take_half_the_memory(row: tuple[float, float, float], size: int) -> None:
    assert len(PackedRows([row]).state()[1]) == size
