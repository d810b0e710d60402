"""Mutations of bytes, all drawn from one random generator."""

from __future__ import annotations

import random
from collections.abc import Sequence

# Values that often break parsers of lengths and offsets.
_EDGES = (0, 1, 2, 3, 4, 7, 8, 0x7F, 0x80, 0xFF, 0x7FFF, 0x8000, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF)
_MAX_EDITS = 6
_RANDOM_SHARE = 0.1
_VALID_SHARE = 0.02
_MAX_RANDOM_BYTES = 512


def mutated(randomly: random.Random, seeds: Sequence[bytes]) -> bytes:
    """Return an input: mostly a seed with some changed bytes, sometimes random bytes, sometimes an unchanged seed."""
    share = randomly.random()
    if share < _RANDOM_SHARE:
        return randomly.randbytes(randomly.randrange(_MAX_RANDOM_BYTES))
    data = bytearray(randomly.choice(seeds))
    if share < _RANDOM_SHARE + _VALID_SHARE:
        return bytes(data)
    for _ in range(randomly.randint(1, _MAX_EDITS)):
        _edit(randomly, data, seeds)
    return bytes(data)


def _edit(randomly: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    at = randomly.randrange(len(data) + 1)
    kind = randomly.randrange(8)
    if kind == 0:  # one byte
        data[at : at + 1] = randomly.randbytes(1)
    elif kind == 1:  # one bit
        if at < len(data):
            data[at] ^= 1 << randomly.randrange(8)
    elif kind <= 3:  # an integer, aligned or at any place
        size = randomly.choice((1, 2, 4, 8))
        aligned = at - at % size if kind == 2 else at
        value = randomly.choice(_EDGES) if randomly.random() < 0.6 else randomly.randrange(len(data) + 16)
        data[aligned : aligned + size] = (value % (1 << 8 * size)).to_bytes(size, "little")
    elif kind == 4:  # cut out
        del data[at : at + randomly.randint(1, 16)]
    elif kind == 5:  # put in
        data[at:at] = randomly.randbytes(randomly.randint(1, 16))
    elif kind == 6:  # cut short
        del data[at:]
    else:  # a piece of a seed
        other = randomly.choice(seeds)
        start = randomly.randrange(len(other))
        piece = other[start : start + randomly.randint(1, 64)]
        data[at : at + len(piece)] = piece
