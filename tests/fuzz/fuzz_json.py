"""Mutations of a JSON document, all drawn from one random generator."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

# Values of a wrong type or size.
_ODD: tuple[Any, ...] = (
    None, True, False, 0, 1, -1, 2, 1.5, -0.0, 1e308, 1e-320, 2**31, 2**63, 2**64, -(2**63) - 1, 10**40,
    float("nan"), float("inf"), "", "a", "1", "FP32", "\0", "ü", "\U0001f600", "x" * 3000, [], [[]], [None], [1, [2]],
    {}, {"a": None}, {"name": "windows"}, [0] * 40, [1] * 300, [[[[[[1]]]]]], [-1, 6], [2**62, 2**62, 0],
)  # fmt: skip
_MAX_EDITS = 3


def mutated_document(randomly: random.Random, document: Any) -> Any:
    """Return a copy of `document` with a few members or items replaced, removed, repeated or renamed."""
    mutant = copy.deepcopy(document)
    for _ in range(randomly.randint(1, _MAX_EDITS)):
        places = list(_places(mutant))
        if not places:
            return randomly.choice(_ODD)
        owner, key = randomly.choice(places)
        _edit(randomly, owner, key)
    return mutant


def _edit(randomly: random.Random, owner: Any, key: Any) -> None:
    kind = randomly.randrange(5)
    if kind <= 1:
        owner[key] = copy.deepcopy(randomly.choice(_ODD))
    elif kind == 2:
        del owner[key]
    elif kind == 3 and isinstance(owner, list):
        owner[key:key] = [copy.deepcopy(owner[key])] * randomly.choice((1, 2, 300))
    elif isinstance(owner, dict):
        owner[randomly.choice(("name", "shape", "data", "parameters", "x", ""))] = owner.pop(key)


def _places(node: Any) -> Iterator[tuple[Any, Any]]:
    """Yield each member of each object and each item of each array, as (owner, key)."""
    if isinstance(node, dict):
        for key in node:
            yield node, key
            yield from _places(node[key])
    elif isinstance(node, list):
        for index, item in enumerate(node):
            yield node, index
            yield from _places(item)
