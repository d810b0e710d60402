"""What runs a model: the interface that the batcher and the server know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class UnusableModel(Exception):
    """A model that cannot be loaded or served; the text says which and why."""


class RefusedInput(ValueError):
    """The model itself refuses the values of an input, which have the right type and shape."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output. shape: -1 is any length; None is an unknown rank. Strings have dtype object."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...] | None


class Runtime(Protocol):
    """A loaded model. One call at a time: the caller sees to it."""

    kind: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """All outputs by name, for inputs that match `inputs`. Raises RefusedInput; anything else is a failure
        of the model."""
