"""A partition's state as it is read: which records count, and what moves if the state topic has grown."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from consumer.state.keys import full_key, marker_key
from consumer.state.snapshot import Snapshot

PARTITION = ("telegraf", 5)


def key(name: str, partition: tuple[str, int] = PARTITION, owner: str = "assemble") -> bytes:
    return full_key("group", partition, owner, name.encode())


def marker(partitions: int, since: int = 7) -> tuple[bytes, bytes]:
    return marker_key("group", PARTITION), b'{"partitions":%d,"since":%d}' % (partitions, since)


def values(snapshot: Snapshot) -> dict[bytes, bytes | None]:
    return {record.key: record.value for record in snapshot.by_owner().get("assemble", [])}


def test_the_newest_record_of_each_key_counts_and_none_deletes():
    snapshot = Snapshot("group", PARTITION, 4)
    snapshot.add(1, [marker(4), (key("a"), b"1"), (key("b"), b"1"), (key("a"), b"2"), (key("b"), None)])
    assert values(snapshot) == {b"a": b"2"}
    assert snapshot.is_at_home
    assert snapshot.moves(99) == []
    assert snapshot.size == len(key("a")) + 1 + sum(map(len, marker(4)))


def test_other_partitions_groups_and_interceptors_are_kept_apart():
    snapshot = Snapshot("group", PARTITION, 4)
    others = [(key("a", ("telegraf", 55)), b"x"), (full_key("g", PARTITION, "assemble", b"a"), b"x")]
    snapshot.add(1, [marker(4), *others, (key("a", owner="mine:Own"), b"3"), (b"foreign", b"x"), (b"", b"")])
    assert {owner: [r.value for r in records] for owner, records in snapshot.by_owner().items()} == {
        "mine:Own": [b"3"]
    }


def test_a_partition_without_state_only_gets_its_marker():
    snapshot = Snapshot("group", PARTITION, 4)
    for place in range(4):
        snapshot.add(place, [])
    assert values(snapshot) == {}
    assert [(move.place, move.key, move.value) for move in snapshot.moves(99)] == [(1, *marker(4, since=99))]


def test_a_marker_that_cannot_be_read_counts_as_missing():
    snapshot = Snapshot("group", PARTITION, 4)
    snapshot.add(1, [(marker_key("group", PARTITION), b"[")])
    assert (snapshot.is_at_home, snapshot.since) == (False, None)


def written(snapshot: Snapshot, places: dict[int, dict[bytes, bytes]]) -> dict[int, dict[bytes, bytes]]:
    """The state topic once the moves are written and compacted."""
    for move in snapshot.moves(99):
        place = places.setdefault(move.place, {})
        place.pop(move.key, None)
        if move.value is not None:
            place[move.key] = move.value
    return places


def read(places: dict[int, dict[bytes, bytes]], count: int) -> Snapshot:
    snapshot = Snapshot("group", PARTITION, count)
    for place in (snapshot.home, *(p for p in range(count) if p != snapshot.home)):
        snapshot.add(place, places.get(place, {}).items())
        if snapshot.is_at_home:
            break
    return snapshot


def test_state_moves_home_when_the_state_topic_has_grown():
    places = {1: dict([marker(4), (key("a"), b"1"), (key("b"), b"2")])}
    grown = read(places, 8)
    assert not grown.is_at_home
    assert values(grown) == {b"a": b"1", b"b": b"2"}
    places = written(grown, places)
    assert places == {1: {}, 5: dict([marker(8), (key("a"), b"1"), (key("b"), b"2")])}
    assert read(places, 8).is_at_home


def test_only_the_marker_is_written_if_the_state_stays_in_its_partition():
    places = {1: dict([marker(2), (key("a"), b"1")])}
    grown = read(places, 4)
    assert values(grown) == {b"a": b"1"}
    assert [(move.place, move.value) for move in grown.moves(99)] == [(1, marker(4)[1])]


def test_a_move_that_was_not_finished_is_done_again():
    """At-least-once: the copies are not in one transaction. The marker comes last."""
    whole = dict([marker(4), (key("a"), b"1"), (key("b"), b"2")])
    places = {1: whole, 5: {key("a"): b"1", key("c"): b"stale"}}
    again = read(places, 8)
    assert values(again) == {b"a": b"1", b"b": b"2"}
    assert written(again, places) == {1: {}, 5: dict([marker(8), (key("a"), b"1"), (key("b"), b"2")])}


def test_leftovers_in_another_partition_are_not_used_as_newer_state():
    places = {1: dict([marker(4), (key("a"), b"old")]), 5: dict([marker(8), (key("a"), b"new")])}
    grown = read(places, 12)  # its home is place 5 again
    assert values(grown) == {b"a": b"new"}
    assert read(written(grown, places), 12).is_at_home
    again = read({1: dict([marker(4), (key("a"), b"old")]), 5: dict([marker(8), (key("a"), b"new")])}, 4)
    assert values(again) == {b"a": b"old"}  # the topic was created again with fewer partitions


@given(
    st.dictionaries(st.sampled_from("abcd"), st.binary(max_size=3), max_size=4),
    st.lists(st.integers(1, 9), min_size=1, max_size=4),
)
def test_any_growth_keeps_the_state(entries, growth):
    state = {key(name): value for name, value in entries.items()}
    count = 1
    places = {0: {**state, **dict([marker(1)])}}
    for more in growth:
        count += more
        snapshot = read(places, count)
        assert values(snapshot) == {name.encode(): value for name, value in entries.items()}
        places = written(snapshot, places)
        assert sum(len(place) for place in places.values()) == len(state) + 1
