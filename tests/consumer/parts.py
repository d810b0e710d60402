"""The shared parts of a loop for the tests of its other parts."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

from consumer.loop_parts import LoopParts


def parts(**given: Any) -> LoopParts:
    """The given parts by name; every other part is a Mock."""
    return LoopParts(**{name: given.pop(name, Mock()) for name in LoopParts.__dataclass_fields__}, **given)
