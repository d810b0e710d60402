"""Versions of models as tables and as JSON."""

from __future__ import annotations

import json
from typing import Any

from tests.fncast.cli.conftest import Write


def test_list_shows_state_and_errors(models: Any, write: Write) -> None:
    write(1, metrics={"validation_error": 0.123456})
    (write(2) / "retired").touch()
    (write(3) / "saved_model.pb").unlink()
    (write(1, "price") / "model.json").write_text("{")
    code, out, _ = models("list")
    assert code == 0
    header, broken, retired, latest, price = out.splitlines()
    assert header.split() == ["name", "version", "window", "horizon", "validation", "error", "state"]
    assert "broken: " in broken
    assert broken.endswith("forecast/3 contains neither saved_model.pb nor model.tflite")
    assert retired.split() == ["forecast", "2", "48", "12", "-", "retired"]
    assert latest.split(maxsplit=5) == [
        *("forecast", "1", "48", "12", "0.1235"),
        "latest, not checked: only TensorFlow can open it",
    ]
    assert "broken: " in price
    assert "is not JSON" in price


def test_list_as_json_has_one_line_for_each_version(models: Any, write: Write) -> None:
    write(1)
    write(2)
    _, out, _ = models("list", "--name", "forecast", "--json")
    assert [json.loads(line)["version"] for line in out.splitlines()] == [2, 1]


def test_compare_shows_what_differs(models: Any, write: Write) -> None:
    write(1, training={"settings": {"units": 32, "cell": "gru"}, "history": [1]}, metrics={"mae": 2.0})
    write(2, training={"settings": {"units": 64, "cell": "gru"}, "history": [1, 2]}, metrics={"mae": 1.5})
    (write(3) / "retired").touch()
    code, out, _ = models("compare")
    assert code == 0
    assert [line.split() for line in out.splitlines()] == [
        ["forecast/1", "forecast/2"],
        ["training.settings.units", "32", "64"],
        ["metrics.mae", "2", "1.5"],
    ]
    _, out, _ = models("compare", "2", "3", "--json")
    assert json.loads(out)["metrics.mae"] == [1.5, None]


def test_texts_of_a_model_json_are_printed_without_control_characters(models: Any, write: Write) -> None:
    forged = "\x1b[2J\x1b[31mEVIL\r\n2026-01-01 INFO fncast: forged\x7f\u202e"
    write(1, trained_at=forged, training={"settings": {"cell": forged}})
    write(2, trained_at="2026")
    for action in (("list",), ("list", "--json"), ("compare", "1", "2"), ("compare", "1", "2", "--json")):
        _, out, err = models(*action)
        assert "EVIL" in out
        assert all(line.isprintable() for line in [*out.splitlines(), *err.splitlines()])
