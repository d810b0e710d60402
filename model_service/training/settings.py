"""The settings of a training run, with their limits."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Cell = Literal["gru", "lstm", "rnn"]
CELLS: tuple[Cell, ...] = ("gru", "lstm", "rnn")

QUANTILES = (0.1, 0.5, 0.9)

# Larger values are mistakes. The limits also bound the memory of a batch.
MAX_WINDOW = 10_000
MAX_HORIZON = 2_000
MAX_UNITS = 1_024
MAX_EPOCHS = 10_000


class InvalidSettings(ValueError):
    """A setting is out of its range. The text names both."""


@dataclass(frozen=True)
class TrainingSettings:
    """The settings of one training run. Raises InvalidSettings.

    window, horizon: in steps. seasons: lengths in steps of seasons for which the network has special inputs; short
    seasons need none. epochs, steps_per_epoch: at most. batch: windows in a step. patience: epochs without a better one
    after which training ends. test_share: the last part of each series, used for neither training nor validation.
    validation_share: the last part of the rest, for early stopping and calibration.
    """

    window: int = 48
    horizon: int = 12
    units: int = 64
    cell: Cell = "gru"
    learning_rate: float = 0.002
    epochs: int = 20
    steps_per_epoch: int = 300
    batch: int = 256
    dropout: float = 0.1
    patience: int = 5
    seed: int = 0
    seasons: tuple[int, ...] = ()
    test_share: float = 0.3
    validation_share: float = 0.15

    def __post_init__(self) -> None:
        self._check("window", 4, MAX_WINDOW)
        self._check("horizon", 1, MAX_HORIZON)
        self._check("units", 1, MAX_UNITS)
        self._check("epochs", 1, MAX_EPOCHS)
        self._check("learning_rate", 1e-7, 1.0)
        self._check("test_share", 0.0, 0.9)
        self._check("seed", 0, 2**32 - 1)
        if self.cell not in CELLS:
            raise InvalidSettings(f"cell is {self.cell!r}; it must be one of {', '.join(CELLS)}")

    def _check(self, name: str, least: float, most: float) -> None:
        value = getattr(self, name)
        if not least <= value <= most:
            raise InvalidSettings(
                f"{name.replace('_', '-')} is {value}; it must be between {least:g} and {most:g}"
            )

    def as_json(self) -> dict[str, object]:
        """The settings by name, for model.json."""
        return {**asdict(self), "seasons": list(self.seasons)}
