"""Turns the trainer's progress into CloudEvents for the page."""

from __future__ import annotations

import time
from typing import Any

import orjson
from cloudevents.core.v1.event import CloudEvent

TRAINING_TYPE = "io.fncast.training.v1"
SUBJECT = "forecast"


class TrainingEvents:
    """Reads the output of `fncast train --progress json`."""

    def __init__(self, source: str) -> None:
        """source: the events' CloudEvents source."""
        self._source = source
        self._run = f"{time.time_ns():x}"
        self._last: dict[str, Any] = {}
        self._version: int | None = None

    def event(self, line: str) -> CloudEvent | None:
        """Return the event for a line; None if the line does not report progress."""
        try:
            report = orjson.loads(line)
        except orjson.JSONDecodeError:
            return None
        if not isinstance(report, dict):
            return None
        if "epoch" in report:
            self._last = {
                "epoch": report["epoch"],
                "epochs": report.get("epochs"),
                "loss": report.get("train_error"),
                "val_loss": report.get("validation_error"),
                "naive_loss": report.get("naive_error"),
            }
            return self._event(str(report["epoch"]), self._last)
        if "version" in report:
            self._version = report["version"]
            return self._event("done", {"epochs": self._last.get("epochs"), "done": True})
        return None

    @property
    def progress(self) -> str:
        """The progress in a few words."""
        if not self._last:
            return "starting"
        if self._version is not None:
            return f"version {self._version} has been written"
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
