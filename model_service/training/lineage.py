"""Which readings a model has seen in training, including the versions that it was trained from."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from fncast.series.rfc3339 import parse_time
from fncast.series.time_series import TimeSeries
from model_service.training.model_folder import InvalidModelFolder, object_in, read_model_json
from model_service.training.provenance import sha256


class Lineage:
    """The end of the training data of each series, by name and by fingerprint, because files may be renamed.

    unlisted: number of series of the training that model.json does not list, so that nothing is known about them.
    """

    def __init__(self, folder: Path) -> None:
        """folder: of a version. Earlier versions that are missing or have no training data are ignored.

        Raises InvalidModelFolder for a time that cannot be read.
        """
        self._until: dict[str, datetime] = {}
        self.unlisted = 0
        described = _described(folder)
        is_refit = "refit" in described
        while described:
            data = object_in(object_in(described, "training"), "data")
            try:
                self._add_all(data, is_refit)
            except ValueError as error:
                raise InvalidModelFolder(f"{folder}/model.json: training data: {error}") from None
            is_refit = False  # training continues with the weights from before a refit
            before = data.get("from_version")
            number = described.get("version")
            if not isinstance(before, int) or not isinstance(number, int) or before >= number:
                return
            folder = folder.parent / str(before)
            described = _described(folder)

    def until(self, series: TimeSeries) -> datetime | None:
        """The time of the first reading after the training data; None for a series that model.json does not list."""
        moments = [self._until[key] for key in (series.name, sha256(series)) if key in self._until]
        return max(moments, default=None)

    def _add_all(self, data: dict[str, Any], is_refit: bool) -> None:
        """Add the series of one training. is_refit: it was refitted on their last readings. Raises ValueError."""
        found = data.get("series")
        series = found if isinstance(found, list) else []
        count = data.get("series_count")
        if isinstance(count, int) and "generated" not in data:
            self.unlisted = max(self.unlisted, count - len(series))
        for entry in series:
            if isinstance(entry, dict) and "validation_until" in entry:
                self._add(entry, "end" if is_refit and "end" in entry else "validation_until")

    def _add(self, entry: dict[str, Any], end: str) -> None:
        """Add one series. end: the member of `entry` with the end of its training data. Raises ValueError."""
        until = parse_time(entry[end])
        for key in (entry.get("name"), entry.get("sha256")):
            if isinstance(key, str):
                self._until[key] = max(until, self._until.get(key, until))


def _described(folder: Path) -> dict[str, Any]:
    try:
        return read_model_json(folder)
    except InvalidModelFolder:
        return {}
