"""The falling error of a model while it is trained."""

from __future__ import annotations

import math
from typing import Any

from fncast.dashboard.event import ReceivedEvent

TRAINING_TYPE = "io.fncast.training.v1"
MAX_EPOCHS = 1000  # points of the curve; of a longer training the first part is forgotten


class TrainingCurve:
    """The curve of the training that is under way, or of the last one."""

    def __init__(self) -> None:
        self._epochs: list[dict[str, float | None]] = []
        self._of = 0
        self._done = False
        self._heard_s = 0.0
        self._changed = False

    def add(self, event: ReceivedEvent, at_s: float) -> None:
        """Take in one epoch, told at `at_s`. An epoch that is not after the last begins a new training."""
        data = event.data if isinstance(event.data, dict) else {}
        epoch, loss, val_loss = (_number(data.get(name)) for name in ("epoch", "loss", "val_loss"))
        if epoch is not None and (loss is not None or val_loss is not None):
            if self._epochs and epoch <= (self._epochs[-1]["epoch"] or 0):
                self._epochs.clear()
                self._done = False
            self._epochs.append({"epoch": epoch, "loss": loss, "val_loss": val_loss})
            del self._epochs[:-MAX_EPOCHS]
        self._of = int(_number(data.get("epochs")) or self._of)
        self._done = bool(data.get("done")) or (self._done and epoch is None)
        self._heard_s = at_s
        self._changed = True

    def snapshot(self) -> dict[str, Any] | None:
        if not self._epochs:
            return None
        return {"epochs": self._epochs, "of": self._of, "done": self._done, "heard_s": self._heard_s}

    def take_changes(self) -> dict[str, Any] | None:
        """The whole again if it changed since the last call."""
        changed, self._changed = self._changed, False
        return self.snapshot() if changed else None


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
