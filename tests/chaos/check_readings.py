"""The checker of a run with `--readings`: computes each window from the input topic alone, and compares the forecasts.

usage: check_readings.py PRODUCED BOOTSTRAP_SERVERS INPUT_TOPIC FORECASTS_TOPIC DEAD_LETTERS_TOPIC

It shares no code with the product. The model's first median is the mean of the window plus 1, after gaps are bridged.
Prints one JSON object. Exit code 0 if nothing was lost, repeated, out of order, wrongly rejected, or computed from
another window; else 1.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from check import SHOWN, Seen, read

START_S = 1_767_225_600  # 2026-01-01T00:00:00Z
STEP_S = 60
WINDOW = 6
MIN_READINGS = 3  # in a window
AHEAD = 1.0
TOLERANCE = 0.02


def window_id(key: str, end_s: int) -> str:
    """Return the id of the window of a series that ends with the reading of this time, in seconds since 1970."""
    time = datetime.fromtimestamp(end_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return f"m.v k={key}@{time}"


class Expected:
    """The outcomes that follow from the input topic. windows: mean of the bridged window, by id.

    poison: number of dead letters, by id. order: ids of the windows in input order, by series.
    """

    def __init__(self, inputs: list[Seen]) -> None:
        self.windows: dict[str, float] = {}
        self.poison: Counter[str] = Counter()
        self.order: dict[str, list[str]] = {}
        values: dict[str, dict[int, float]] = {}
        newest: dict[str, int] = {}
        for key, id_, raw in inputs:
            try:
                record = json.loads(raw)
            except ValueError:
                self.poison[id_] += 1
                continue
            step = (record["timestamp"] - START_S) // STEP_S
            series = values.setdefault(key, {})
            head = newest.get(key, step)
            if step <= head - WINDOW:
                continue
            series[step] = record["fields"]["v"]
            if key in newest and step <= head:
                continue
            newest[key] = step
            window = [series.get(step - back) for back in range(WINDOW - 1, -1, -1)]
            if sum(value is not None for value in window) >= MIN_READINGS:
                window_name = window_id(key, record["timestamp"])
                self.windows[window_name] = mean(window)
                self.order.setdefault(key, []).append(window_name)


def mean(window: list[float | None]) -> float:
    """Return the mean of a window. Gaps are bridged linearly, gaps at an edge with the nearest value."""
    known = [at for at, value in enumerate(window) if value is not None]
    bridged = []
    for at, value in enumerate(window):
        before = [other for other in known if other <= at]
        after = [other for other in known if other >= at]
        if value is not None:
            bridged.append(value)
        elif not before or not after:
            bridged.append(window[after[0] if after else before[-1]])
        else:
            left, right = before[-1], after[0]
            share = (at - left) / (right - left)
            bridged.append(window[left] * (1 - share) + window[right] * share)
    return sum(bridged) / len(bridged)


def check(expected: Expected, forecasts: list[Seen], letters: list[Seen]) -> dict[str, list[str]]:
    """Return the faulty ids by kind of fault."""
    outputs = Counter(id_ for _, id_, _ in forecasts)
    rejected = Counter(id_ for _, id_, _ in letters)
    series_of = {id_: key for key, ids in expected.order.items() for id_ in ids}
    place = {id_: number for ids in expected.order.values() for number, id_ in enumerate(ids)}
    seen: dict[str, list[str]] = {}
    for _, id_, _ in forecasts:
        if id_ in series_of:
            seen.setdefault(series_of[id_], []).append(id_)
    return {
        "lost": [id_ for id_ in expected.windows if not outputs[id_]]
        + [id_ for id_, count in expected.poison.items() if rejected[id_] < count],
        "repeated": [id_ for id_, count in outputs.items() if count > 1]
        + [id_ for id_, count in rejected.items() if count > max(1, expected.poison[id_])],
        "out_of_order": [
            later
            for ids in seen.values()
            for earlier, later in pairwise(ids)
            if place[later] < place[earlier]
        ],
        "wrongly_rejected": [id_ for id_ in rejected if id_ not in expected.poison],
        "unknown": [id_ for id_ in outputs if id_ not in expected.windows],
        "of_another_input": [
            id_
            for _, id_, value in forecasts
            if id_ in expected.windows and not is_right(value, expected.windows[id_] + AHEAD)
        ],
    }


def is_right(value: bytes, first: float) -> bool:
    """Whether the first value of a forecast is `first`."""
    return abs(json.loads(value)["values"][0] - first) < TOLERANCE


def main(produced: str, servers: str, input_topic: str, forecasts: str, dead_letters: str) -> int:
    expected = Expected(read(servers, input_topic, "ce_id"))
    outputs, letters = read(servers, forecasts, "ce_causationid"), read(servers, dead_letters, "ce_id")
    wrong = check(expected, outputs, letters)
    summary: dict[str, object] = {
        "produced": len(Path(produced).read_text().splitlines()),
        "windows": len(expected.windows),
        "forecasts": len(outputs),
        "dead_letters": len(letters),
    }
    summary |= {kind: len(ids) for kind, ids in wrong.items()}
    summary["for_example"] = {kind: ids[:SHOWN] for kind, ids in wrong.items() if ids}
    print(json.dumps(summary))
    return 1 if any(wrong.values()) else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
