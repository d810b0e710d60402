from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumer.state.keys import full_key, parse, prefix


@given(st.text(), st.text(), st.integers(0, 10**6), st.text(), st.binary())
def test_any_parts_of_a_key_can_be_read_back(group, topic, partition, owner, suffix):
    joined = full_key(group, (topic, partition), owner, suffix)
    assert parse(joined) == (group, topic, partition, owner, suffix)
    assert joined.startswith(prefix(group, (topic, partition)))
    assert not joined.startswith(prefix(group, (topic, partition + 1)))


@given(st.none() | st.binary())
def test_any_other_key_is_rejected(found):
    assert parse(found) is None or found is not None
