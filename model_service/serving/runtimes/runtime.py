"""The interface between the server and the libraries that run models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


class UnusableModel(Exception):
    """A model that cannot be loaded or served. The text says which one and why."""


class RejectedInput(ValueError):
    """The model rejects the values of an input, although their type and shape are right."""


@dataclass(frozen=True)
class TensorSpec:
    """One input or output of a model. shape: -1 is any length, None an unknown rank. Strings have the dtype object."""

    name: str
    dtype: np.dtype[Any]
    shape: tuple[int, ...] | None


class Runtime(Protocol):
    """A loaded model. The caller must not run it concurrently."""

    kind: str
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]

    def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
        """All outputs by name. inputs: arrays that match `self.inputs`.

        Raises RejectedInput if the model rejects the values. Any other exception is a failure of the model.
        """
