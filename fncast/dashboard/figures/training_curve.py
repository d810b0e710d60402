"""The error of a model during its training, epoch by epoch."""

from __future__ import annotations

from typing import Any

from fncast.dashboard.events.event import ReceivedEvent
from fncast.dashboard.events.fields import finite_number

TRAINING_TYPE = "io.fncast.training.v1"
MAX_EPOCHS = 1000  # points of the curve; older ones are dropped
MAX_COUNT = 1_000_000_000  # a larger number of epochs is ignored: it may not fit into an integer of JSON


class TrainingCurve:
    """The error curve of the current or the last training."""

    def __init__(self) -> None:
        self._epochs: list[dict[str, float | None]] = []
        self._epoch_count = 0
        self._is_done = False
        self._reported_s = 0.0
        self._changed = False

    def add(self, event: ReceivedEvent, at_s: float) -> None:
        """Add the report of one epoch. An epoch number that does not grow starts a new training.

        at_s: when the report was written, in seconds since 1970.
        """
        data = event.data if isinstance(event.data, dict) else {}
        epoch, loss, val_loss = (finite_number(data.get(name)) for name in ("epoch", "loss", "val_loss"))
        if epoch is not None and (loss is not None or val_loss is not None):
            if self._epochs and epoch <= (self._epochs[-1]["epoch"] or 0):
                self._epochs.clear()
                self._is_done = False
            self._epochs.append({"epoch": epoch, "loss": loss, "val_loss": val_loss})
            del self._epochs[:-MAX_EPOCHS]
        count = finite_number(data.get("epochs"))
        if count is not None and 0 < count <= MAX_COUNT:
            self._epoch_count = int(count)
        self._is_done = bool(data.get("done")) or (self._is_done and epoch is None)
        self._reported_s = at_s
        self._changed = True

    def snapshot(self) -> dict[str, Any] | None:
        """The curve as JSON values; None before the first epoch."""
        if not self._epochs:
            return None
        return {
            "epochs": self._epochs,
            "of": self._epoch_count,
            "done": self._is_done,
            "heard_s": self._reported_s,
        }

    def take_changes(self) -> dict[str, Any] | None:
        """A snapshot if something changed since the last call, else None."""
        changed, self._changed = self._changed, False
        return self.snapshot() if changed else None
