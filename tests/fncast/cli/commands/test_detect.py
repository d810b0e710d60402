"""`fncast detect` with a model that expects the last value."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fncast.cli.detection import local_model
from fncast.cli.main import main

WINDOW, HORIZON, READINGS, SPIKE = 24, 6, 1_000, 800


class LastValue:
    """A runtime: forecasts are relative to the last reading, so 0 is the last value."""

    def run(self, inputs: Mapping[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        rows = len(inputs["windows"])
        band = np.array([-1.0, 0.0, 1.0], dtype=np.float32)
        return {"forecast": np.broadcast_to(band, (rows, HORIZON, 3))}


@pytest.fixture(autouse=True)
def last_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_model, "open_runtime", lambda path, is_unverified: LastValue())


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for version in (1, 2):
        folder = tmp_path / "models" / "forecast" / str(version)
        folder.mkdir(parents=True)
        described = {"window": WINDOW, "horizon": HORIZON, "quantiles": [0.1, 0.5, 0.9]}
        (folder / "model.json").write_text(json.dumps(described))
        (folder / "model.tflite").write_bytes(b"x")
    return tmp_path / "models"


@pytest.fixture
def readings(tmp_path: Path) -> Path:
    values = 50 + np.random.default_rng(0).normal(size=READINGS)
    values[SPIKE] += 40
    path = tmp_path / "shop.csv"
    lines = [f"{1_700_000_000 + 300 * at},{value:.4f}" for at, value in enumerate(values) if at != 100]
    path.write_text("time,value\n" + "\n".join(lines) + "\n")
    return path


@pytest.fixture
def detect(models: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def call(*words: Any) -> tuple[int, str, str]:
        code = main(["detect", *map(str, words), "--models", str(models)])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return call


def test_csv_has_a_row_for_each_reading(detect: Any, readings: Path) -> None:
    code, out, err = detect(readings)
    assert code == 0
    rows = list(csv.DictReader(io.StringIO(out)))
    assert list(rows[0]) == ["time", "value", "expected", "low", "high", "score", "is_anomaly"]
    assert len(rows) == READINGS - 1
    spike = max(rows, key=lambda row: float(row["value"]))
    assert spike["is_anomaly"] == "1"
    assert float(spike["score"]) > 0.7
    assert float(spike["low"]) < float(spike["expected"]) < float(spike["high"])
    assert rows[0]["expected"] == ""
    assert all(0 <= float(row["score"]) <= 1 for row in rows)
    assert "shop: 1 anomaly" in err


def test_json_has_a_line_for_each_reading(detect: Any, readings: Path) -> None:
    _, out, _ = detect(readings, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert list(rows[0]) == ["series", "time", "value", "expected", "low", "high", "score", "is_anomaly"]
    assert rows[0]["expected"] is None
    assert sum(row["is_anomaly"] for row in rows) >= 1


def test_several_series_have_a_column_of_names(detect: Any, readings: Path) -> None:
    _, out, _ = detect(readings, readings)
    header, first, *_ = out.splitlines()
    assert header.startswith("series,time,")
    assert first.startswith("shop/shop,")


def test_the_plot_is_a_png(detect: Any, readings: Path, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    code, _, _ = detect(readings, "--plot", tmp_path / "shop.png")
    assert code == 0
    assert (tmp_path / "shop.png").read_bytes().startswith(b"\x89PNG")


def test_a_short_series_is_named(detect: Any, readings: Path) -> None:
    code, _, err = detect(readings, "--min-history", 5_000)
    assert code == 0
    found = re.search(r"shop: none of its 999 readings can be an anomaly: (\d+) have forecasts", err)
    assert found
    judged = int(found[1])
    assert READINGS - 2 * WINDOW <= judged < READINGS
    assert "can be an anomaly" in detect(readings, "--min-history", judged)[2]
    assert "can be an anomaly" not in detect(readings, "--min-history", judged - 1)[2]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["--alpha", "2"], "--alpha is 2.0; it must be between 0 and 1"),
        (["--min-history", "-1"], "--min-history is -1; it must not be negative"),
        (["--version", "7"], "no version 7; there are 1, 2"),
        (["--model", "other"], "contains no version of a model"),
        (["--plot", "/nowhere/shop.png"], "--plot /nowhere/shop.png: cannot be written"),
    ],
)
def test_a_failure_is_one_sentence_and_exit_code_1(
    detect: Any, readings: Path, words: list[str], reason: str
) -> None:
    code, _, err = detect(readings, *words)
    assert code == 1
    assert reason in err
