"""The state of one partition number: copies of changed series, and a journal of the changes between copies."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import msgspec

from fncast.monitor.partition import NEW, MonitorPartition
from interceptor.delivery import StateRecord
from interceptor.errors import StateError

# The place in the batch, and a note of `MonitorPartition`.
Entry = tuple[int, tuple[Any, ...]]

VERSION = 3
# The key of a series' copy is its name in UTF-8. All other keys begin with a byte that UTF-8 does not have.
NEXT_OFFSET = b"\xff"
# The first byte of an entry record's key, by set of keys. A number follows.
_KEY_SETS = (b"\xfe", b"\xfd")
# The time from one round's start to the next. A round writes all series that changed.
ROUND_S = 10.0
# A round begins earlier after this many entries: they bound the time of a restart.
ROUND_ENTRIES = 200_000
# This many series of a round are written with a batch.
SERIES_AT_ONCE = 128
# A record of the journal is closed once its entries have about this many bytes.
RECORD_BYTES = 256 * 1024

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[int, int, Any]).decode


class Journal:
    """Writes the state with the deliveries of each batch, and restores it.

    A series is restored from its newest copy and the entries after it. The entries of rounds have two sets of keys in
    turn: a new round overwrites the entries of the round before the last one, which are no longer needed. Entries
    about the records of different topics are separate, so that each is committed together with its records.
    """

    def __init__(self, monitor: MonitorPartition, clock: Callable[[], float]) -> None:
        """clock: monotonic, in seconds."""
        self._monitor = monitor
        self._clock = clock
        self._sequence = 0  # of the last write
        self._round = 0
        self._round_at_s = clock() + ROUND_S
        self._to_write: list[str] = []  # series of this round
        self._entry_count = 0  # in this round
        self._numbers: dict[str, int] = {}  # by topic, of the last record in this round
        self._is_live = False
        # What was restored: by topic and key set the largest number, by series the sequence of its copy, and entries as
        # (sequence, place in the batch, note).
        self._restored_numbers: dict[tuple[str, bytes], int] = {}
        self._restored_copies: dict[str, int] = {}
        self._restored_entries: list[tuple[int, int, list[Any]]] = []

    def restore(self, topic: str, record: StateRecord, committed: int) -> int:
        """Take a state record of a topic. Returns the topic's next offset, at most `committed`. Raises StateError."""
        try:
            version, sequence, content = _decode(record.value or b"")
            if version != VERSION:
                raise ValueError(f"it has the format {version}, this monitor reads the format {VERSION}")
            if record.key == NEXT_OFFSET:
                offset, round_ = content
                self._round = max(self._round, round_)
                return min(committed, int(offset))
            if self._is_live:  # the state in memory is newer
                return committed
            self._sequence = max(self._sequence, sequence)
            if record.key[:1] in _KEY_SETS:
                key_set = (topic, record.key[:1])
                number = int.from_bytes(record.key[1:], "big")
                self._restored_numbers[key_set] = max(self._restored_numbers.get(key_set, -1), number)
                self._restored_entries += [(sequence, *entry) for entry in content]
            elif sequence > self._restored_copies.get(name := record.key.decode(), 0):
                self._restored_copies[name] = sequence
                self._monitor.restore(name, content)
        except (msgspec.MsgspecError, ValueError, TypeError) as error:
            raise StateError(
                f"the monitor's state cannot be read: {error}. Run `fncast state reset` to forget the state: then its"
                " series start again"
            ) from None
        return committed

    def apply(self) -> None:
        """Apply the entries that came after the copies, once all topics are restored."""
        # The entries of several topics say that a series is new, with the same sequence and place.
        notes = {(sequence, place): note for sequence, place, note in self._restored_entries}
        for (sequence, _), note in sorted(notes.items(), key=lambda each: each[0]):
            if sequence > self._restored_copies.get(note[1], 0):
                self._monitor.replay(note)
        self._restored_entries.clear()
        if self._restored_numbers:  # this round continues after the records that may be needed
            key = _KEY_SETS[self._round % 2]
            self._numbers = {
                topic: number for (topic, each), number in self._restored_numbers.items() if each == key
            }
            self._to_write = sorted(self._monitor.changed)
            self._restored_numbers.clear()

    def write(
        self, entries: Mapping[str, list[Entry]], next_offsets: Mapping[str, int]
    ) -> dict[str, list[StateRecord]]:
        """The state records of a batch by topic.

        entries: by topic, with their place in the batch. next_offsets: by topic of the batch.
        """
        self._is_live = True
        self._sequence += 1
        self._entry_count += sum(map(len, entries.values()))
        copies = [
            StateRecord(name.encode(), self._record(self._monitor.series[name].state()))
            for name in self._copied()
        ]
        found = {}
        for topic, offset in next_offsets.items():
            records = [StateRecord(record.key, record.value) for record in copies]
            for part in _parts(entries.get(topic, ())):
                number = self._numbers[topic] = self._numbers.get(topic, -1) + 1
                key = _KEY_SETS[self._round % 2] + number.to_bytes(4, "big")
                records.append(StateRecord(key, self._record(part)))
            records.append(StateRecord(NEXT_OFFSET, self._record([offset, self._round])))
            found[topic] = records
        return found

    def _copied(self) -> list[str]:
        """The series to write now. Begins a round if it is due."""
        is_full = self._entry_count >= ROUND_ENTRIES
        if is_full or (not self._to_write and self._clock() >= self._round_at_s):
            self._to_write = sorted({*self._to_write, *self._monitor.changed})
            self._round += 1
            self._round_at_s = self._clock() + ROUND_S
            self._entry_count = 0
            self._numbers.clear()
        count = len(self._to_write) if is_full else SERIES_AT_ONCE
        names, self._to_write = self._to_write[:count], self._to_write[count:]
        self._monitor.changed.difference_update(names)
        return names

    def _record(self, content: Any) -> bytes:
        return _encode([VERSION, self._sequence, content])


def _parts(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """The entries in records of about RECORD_BYTES."""
    part: list[Entry] = []
    size = 0
    for entry in entries:
        part.append(entry)
        size += _size(entry[1])
        if size >= RECORD_BYTES:
            yield part
            part, size = [], 0
    if part:
        yield part


def _size(note: tuple[Any, ...]) -> int:
    """About how many bytes the entry of a note has."""
    if note[0] == NEW:  # it holds the whole state of a series
        return len(_encode(note))
    name = note[1]
    # UTF-8 has at most four bytes a character.
    name_bytes = len(name) if name.isascii() else 4 * len(name)
    return 64 + name_bytes + sum(len(each) for each in note if isinstance(each, bytes))
