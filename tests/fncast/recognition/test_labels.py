"""Which members of JSON objects become labels of the series."""

from __future__ import annotations

from typing import Any

from fncast.recognition.flat_json import propose_mapping
from tests.fncast.recognition.samples import record


def options(make: Any, count: int = 20, **more: Any) -> dict[str, Any]:
    mapping = propose_mapping([record(make(number), number, **more) for number in range(count)])
    assert mapping is not None
    return mapping.options()


def test_the_member_that_equals_the_key_identifies_the_series():
    found = options(lambda number: {"mill": "a7", "flag": f"x{number}", "v": 1}, key=b"a7")
    assert found == {"values": ["v"], "labels": ["mill"]}


def test_ids_of_messages_are_not_labels():
    found = options(lambda number: {"message_id": f"m{number}", "uuid": f"u{number}", "zone": "a", "v": 1})
    assert found["labels"] == ["zone"]


def test_a_tables_row_number_is_not_a_label():
    found = options(lambda number: {"id": 7 + number, "device": f"d{number % 2}", "v": 1})
    assert found["labels"] == ["device"]


def test_an_id_alone_is_a_label_although_it_grows():
    assert options(lambda number: {"id": number, "v": 1})["labels"] == ["id"]
    assert options(lambda number: {"id": number % 5, "zone": "a", "v": 1})["labels"] == ["id", "zone"]
