"""The trainer's progress as CloudEvents, so that the page shows the falling error."""

from __future__ import annotations

import time
from typing import Any

import orjson
from cloudevents.core.v1.event import CloudEvent

TRAINING_TYPE = "io.fncast.training.v1"
SUBJECT = "forecast"


class TrainingEvents:
    """Reads the lines of `fncast train --progress json`."""

    def __init__(self, source: str) -> None:
        """source: the events' CloudEvents source."""
        self._source = source
        self._run = f"{time.time_ns():x}"
        self._last: dict[str, Any] = {}
        self._version: int | None = None

    def event(self, line: str) -> CloudEvent | None:
        """The event of a line; None if it tells no progress."""
        try:
            told = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(told, dict):
            return None
        if "epoch" in told:
            self._last = {
                "epoch": told["epoch"],
                "epochs": told.get("epochs"),
                "loss": told.get("train_error"),
                "val_loss": told.get("validation_error"),
                "naive_loss": told.get("naive_error"),
            }
            return self._event(str(told["epoch"]), self._last)
        if "version" in told:
            self._version = told["version"]
            return self._event("done", {"epochs": self._last.get("epochs"), "done": True})
        return None

    @property
    def progress(self) -> str:
        """Where it stands, in a few words."""
        if not self._last:
            return "starting"
        if self._version is not None:
            return f"version {self._version} is written"
        last = " (evaluating it now)" if self._last["epoch"] == self._last["epochs"] else ""
        return f"epoch {self._last['epoch']}/{self._last['epochs']}, error {self._last['val_loss']:.3f}{last}"

    def _event(self, id: str, data: dict[str, Any]) -> CloudEvent:
        return CloudEvent(
            {
                "specversion": "1.0",
                "id": f"{self._run}-{id}",
                "source": self._source,
                "type": TRAINING_TYPE,
                "subject": SUBJECT,
                "partitionkey": SUBJECT,
                "datacontenttype": "application/json",
            },
            data,
        )
