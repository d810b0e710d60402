"""Properties of reading requests: for any headers and any body."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from events import BATCH_TYPE, read_request
from fncast.series.window_data import InvalidData, read_json, read_readings

MEMBERS = ("specversion", "id", "source", "type", "subject", "data")
HEADER_NAMES = ("content-type", "ce-specversion", "ce-id", "ce-source", "ce-type", "ce-subject")
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
HEADERS = st.dictionaries(
    st.sampled_from([*HEADER_NAMES, "ce-", "ce-x", "content-type"]),
    st.text(max_size=8) | st.lists(st.text(max_size=8), min_size=1, max_size=2) | st.just(BATCH_TYPE),
)
ATTRIBUTES = st.dictionaries(st.sampled_from([*MEMBERS, "data_base64", "x"]), JSON)


@given(
    HEADERS,
    st.binary()
    | st.one_of(JSON, ATTRIBUTES, st.lists(ATTRIBUTES, max_size=3)).map(lambda v: json.dumps(v).encode()),
)
def test_no_request_raises_and_spliced_parts_are_valid_json(headers: dict[str, Any], body: bytes) -> None:  # fmt: skip
    for event in read_request(headers, body).events:
        if event.members:
            members = json.loads(b"{%b}" % event.members[1:].decode().encode())
            assert (
                {"causationid", "causationsource"}
                <= set(members)
                <= {"causationid", "causationsource", "subject"}
            )
        try:
            readings = read_readings(event.data)
        except InvalidData:
            continue
        assert isinstance(readings.values, list)
        json.loads(b'{%b"x":1%b}' % (readings.grid_json, readings.unit))


EXACT = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text()
EXACT |= st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(EXACT) | st.dictionaries(st.text(), EXACT))
def test_json_is_read_as_python_reads_it(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value
    assert read_json(json.dumps([value, float("nan")]).encode())[0] == value
