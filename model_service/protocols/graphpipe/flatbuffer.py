"""Reads untrusted flatbuffers: checks every offset and length before following it.

The Python library of flatbuffers has no verifier, so a hostile buffer could make it read anywhere. The layout, all
little-endian: a buffer begins with the offset of its root table. A table begins with the distance back to its vtable.
A vtable holds its size, the size of the table, and one 16-bit offset into the table per field (0 = absent). The schema
is not recursive, so reading it needs no recursion limit.
"""

from __future__ import annotations

from struct import Struct

from model_service.protocols.graphpipe.messages import InvalidMessage

_U16 = Struct("<H").unpack_from
_I32 = Struct("<i").unpack_from
_U32 = Struct("<I").unpack_from
_I64 = Struct("<q").unpack_from


class Flatbuffer:
    """The bytes of one message.

    All strings read from it may together be as long as the message. Offsets may repeat, so without this limit a short
    message could refer to the same string a million times.
    """

    __slots__ = ("_text_budget", "data", "size")

    def __init__(self, data: bytes | bytearray | memoryview) -> None:
        self.data = data
        self.size = len(data)
        self._text_budget = self.size

    def root(self) -> FlatbufferTable:
        """The table that the message begins with. Raises InvalidMessage."""
        return FlatbufferTable(self, self.follow(0))

    def follow(self, at: int) -> int:
        """The position that the 32-bit offset at `at` points to, unchecked. Raises InvalidMessage."""
        if at > self.size - 4:
            raise InvalidMessage(f"an offset at byte {at} of {self.size} is cut off")
        offset: int = _U32(self.data, at)[0]
        if offset == 0:
            raise InvalidMessage(f"the offset at byte {at} is null")
        return at + offset

    def vector(self, at: int, item_bytes: int) -> tuple[int, int]:
        """(position of the first item, number of items) of the vector at `at`.

        All items are inside the buffer. Raises InvalidMessage.
        """
        if at > self.size - 4:
            raise InvalidMessage(f"a vector at byte {at} lies beyond the message's {self.size} bytes")
        length: int = _U32(self.data, at)[0]
        if length * item_bytes > self.size - at - 4:
            raise InvalidMessage(
                f"a vector of {length} items at byte {at} reaches beyond the message's {self.size} bytes"
            )
        return at + 4, length

    def text(self, at: int) -> bytes:
        """The bytes of the string at `at`. Raises InvalidMessage."""
        first, length = self.vector(at, 1)
        self._spend(length)
        return bytes(self.data[first : first + length])

    def texts(self, first: int, count: int) -> list[bytes]:
        """The strings of `count` offsets from position `first`. Call `vector` first, which checks the bounds.

        Raises InvalidMessage.
        """
        known: dict[int, bytes] = {}
        texts = []
        for index, offset in enumerate(Struct(f"<{count}I").unpack_from(self.data, first)):
            at = first + 4 * index + offset if offset else self.follow(first + 4 * index)
            text = known.get(at)
            if text is None:
                text = known[at] = self.text(at)
            else:
                self._spend(len(text))
            texts.append(text)
        return texts

    def _spend(self, length: int) -> None:
        """Count a string of `length` bytes. Raises InvalidMessage if all strings are longer than the message."""
        self._text_budget -= 4 + length  # the length field counts too, so that empty strings are limited
        if self._text_budget < 0:
            raise InvalidMessage("the strings are longer than the message itself")

    def int64s(self, first: int, count: int) -> tuple[int, ...]:
        """`count` 64-bit integers from position `first`. Call `vector` first, which checks the bounds."""
        return Struct(f"<{count}q").unpack_from(self.data, first)


class FlatbufferTable:
    """One table. Its vtable is checked on creation.

    Fields are numbered in the order of the schema. An absent field reads as 0, as an empty value, or as None for a
    table. Every method raises InvalidMessage.
    """

    __slots__ = ("_fields", "_position", "_size", "_vtable", "buffer")

    def __init__(self, buffer: Flatbuffer, position: int) -> None:
        if position > buffer.size - 4:
            raise InvalidMessage(f"a table at byte {position} lies beyond the message's {buffer.size} bytes")
        vtable = position - _I32(buffer.data, position)[0]
        if vtable < 0 or vtable > buffer.size - 4:
            raise InvalidMessage(f"the table at byte {position} has its vtable outside the message")
        vtable_bytes = _U16(buffer.data, vtable)[0]
        size = _U16(buffer.data, vtable + 2)[0]
        if vtable_bytes < 4 or vtable_bytes % 2 or vtable + vtable_bytes > buffer.size:
            raise InvalidMessage(f"the vtable at byte {vtable} is broken")
        if size < 4 or position + size > buffer.size:
            raise InvalidMessage(
                f"the table at byte {position} reaches beyond the message's {buffer.size} bytes"
            )
        self.buffer = buffer
        self._position = position
        self._size = size
        self._vtable = vtable
        self._fields = (vtable_bytes - 4) // 2

    def field(self, number: int, field_bytes: int) -> int | None:
        """The position of a field, None if the field is absent. Raises InvalidMessage."""
        if number >= self._fields:
            return None
        offset: int = _U16(self.buffer.data, self._vtable + 4 + 2 * number)[0]
        if offset == 0:
            return None
        if offset < 4 or offset + field_bytes > self._size:
            raise InvalidMessage(
                f"field {number} of the table at byte {self._position} lies outside the table"
            )
        return self._position + offset

    def uint8(self, number: int) -> int:
        """The number in field `number`, 0 if absent. Raises InvalidMessage."""
        at = self.field(number, 1)
        return 0 if at is None else self.buffer.data[at]

    def int64(self, number: int) -> int:
        """The number in field `number`, 0 if absent. Raises InvalidMessage."""
        at = self.field(number, 8)
        value: int = 0 if at is None else _I64(self.buffer.data, at)[0]
        return value

    def table(self, number: int) -> FlatbufferTable | None:
        """The table in field `number`, None if absent. Raises InvalidMessage."""
        at = self.field(number, 4)
        return None if at is None else FlatbufferTable(self.buffer, self.buffer.follow(at))

    def text(self, number: int) -> str:
        """The string in field `number`, "" if absent. Raises InvalidMessage."""
        at = self.field(number, 4)
        if at is None:
            return ""
        try:
            return self.buffer.text(self.buffer.follow(at)).decode()
        except UnicodeDecodeError:
            raise InvalidMessage(f"the string at byte {at} is not UTF-8") from None

    def vector(self, number: int, item_bytes: int, most: int, noun: str) -> tuple[int, int]:
        """(position of the first item, number of items), (0, 0) if absent.

        most: the largest accepted number of items. noun: names the items in the error.
        """
        at = self.field(number, 4)
        if at is None:
            return 0, 0
        first, count = self.buffer.vector(self.buffer.follow(at), item_bytes)
        if count > most:
            raise InvalidMessage(f"{count} {noun}; at most {most} are accepted")
        return first, count

    def tables(self, number: int, most: int, noun: str) -> list[FlatbufferTable]:
        """The tables in field `number`, none if absent. Arguments and errors: see `vector`."""
        first, count = self.vector(number, 4, most, noun)
        return [FlatbufferTable(self.buffer, self.buffer.follow(first + 4 * index)) for index in range(count)]

    def texts(self, number: int, most: int, noun: str) -> list[bytes]:
        """The strings in field `number`, none if absent. Arguments and errors: see `vector`."""
        first, count = self.vector(number, 4, most, noun)
        return self.buffer.texts(first, count)
