"""What a training run is asked to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

Cell = Literal["gru", "lstm", "rnn"]
CELLS: tuple[Cell, ...] = ("gru", "lstm", "rnn")

QUANTILES = (0.1, 0.5, 0.9)

# Beyond these a window or horizon is a slip of the finger; they keep a batch of windows below 100 MB.
MAX_WINDOW = 10_000
MAX_HORIZON = 2_000
MAX_UNITS = 1_024
MAX_EPOCHS = 10_000


class InvalidSettings(ValueError):
    """A setting out of its range; the text names it, and the range."""


@dataclass(frozen=True)
class TrainingSettings:
    """Shapes, sizes and pace of one training run. Raises InvalidSettings.

    seasons: lengths in steps of the seasons that the network gets to know besides the short ones.
    test_share: the last part of each series, seen neither by training nor by validation.
    validation_share: the last part of what is left, for early stop and calibration."""

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
            raise InvalidSettings(f"cell is {self.cell!r}; it is one of {', '.join(CELLS)}")

    def _check(self, name: str, least: float, most: float) -> None:
        value = getattr(self, name)
        if not least <= value <= most:
            raise InvalidSettings(
                f"{name.replace('_', '-')} is {value}; it lies between {least:g} and {most:g}"
            )

    def as_json(self) -> dict[str, object]:
        return {**asdict(self), "seasons": list(self.seasons)}
