"""Keys of the state topic: joined from parts, and read back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consumer.state.keys import full_key, parse, prefix


@given(st.text(), st.text(), st.integers(0, 10**6), st.text(), st.binary())
def test_any_parts_of_a_key_can_be_read_back(group, topic, partition, owner, suffix):
    joined = full_key(group, (topic, partition), owner, suffix)
    assert parse(joined) == (group, topic, partition, owner, suffix)
    assert joined.startswith(prefix(group, (topic, partition)))
    assert not joined.startswith(prefix(group, (topic, partition + 1)))


@pytest.mark.parametrize(
    "foreign",
    [
        None,
        b"",
        b"\n",
        b"not JSON\nkey",
        b'["group","topic",0,"owner"]',
        b'["group","topic",0]\nkey',
        b'["group","topic","0","owner"]\nkey',
        b'["group","topic",true,"owner"]\nkey',
        b'["group",1,0,"owner"]\nkey',
        b'{"a":0,"b":0,"c":0,"d":0}\nkey',
        b"[" * 100_000 + b"\nkey",
    ],
)
def test_a_key_of_another_form_is_not_one_of_fncast(foreign):
    assert parse(foreign) is None


@given(st.binary())
def test_any_bytes_without_a_list_in_front_are_not_a_key_of_fncast(found):
    assert parse(b"." + found) is None
