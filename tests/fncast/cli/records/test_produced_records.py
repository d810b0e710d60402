"""The records of files, standard input and live feeds."""

from __future__ import annotations

import argparse
import io
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import orjson
import pytest
from cloudevents.core.bindings.kafka import KafkaMessage

from fncast.cli.commands.produce import add_arguments
from fncast.cli.records import produced_records
from fncast.cli.records.produced_records import records
from fncast.produce.events import InvalidEventText
from fncast.series.csv.error import CsvError

EVENT = {"specversion": "1.0", "id": "7", "source": "/meters", "type": "reading", "data": {"values": [1, 2]}}


def parsed(*words: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    return parser.parse_args([str(word) for word in words])


def series(folder: Path, name: str, count: int = 4) -> Path:
    path = folder / name
    path.write_text("time,value\n" + "".join(f"2026-01-01T00:0{at}:00Z,{at}\n" for at in range(count)))
    return path


def values(found: list[KafkaMessage]) -> list[object]:
    return [orjson.loads(message.value)["values"] for message in found]


@pytest.fixture
def standard_input(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], None]:
    """standard_input(content): what is read from standard input."""
    return lambda content: monkeypatch.setattr(
        sys, "stdin", io.TextIOWrapper(io.BufferedReader(io.BytesIO(content)))
    )


def test_files_are_read_in_the_given_order(tmp_path: Path) -> None:
    (tmp_path / "ce.json").write_bytes(orjson.dumps(EVENT))
    words = (tmp_path / "ce.json", series(tmp_path, "a.csv"), "--window", 3)
    found = list(records(parsed(*words)))
    assert values(found) == [[1, 2], [0, 1, 2], [1, 2, 3]]
    assert dict(found[1].headers)["ce_source"] == b"fncast/produce/a.csv"


def test_a_short_series_is_an_error_that_names_the_flag(tmp_path: Path) -> None:
    path = series(tmp_path, "a.csv", 2)
    with pytest.raises(
        CsvError, match=rf"{path}: a has 2 readings, but a window needs 3; pass a smaller --window"
    ):
        list(records(parsed(path, "--window", 3)))


def test_nothing_of_a_file_with_a_short_series_is_published(tmp_path: Path) -> None:
    rows = [
        f"2026-01-0{day},{name},{day}"
        for name, days in (("long", 4), ("short", 2))
        for day in range(1, days + 1)
    ]
    (tmp_path / "a.csv").write_text("\n".join(["time,series,value", *rows]) + "\n")
    with pytest.raises(CsvError, match="short has 2 readings"):
        next(records(parsed(tmp_path / "a.csv", "--window", 3)))


@pytest.mark.parametrize("blank", [b"", b"\n \n"])
def test_standard_input_may_hold_events_or_readings(
    blank: bytes, standard_input: Callable[[bytes], None]
) -> None:
    standard_input(blank + orjson.dumps(EVENT) + b"\n")
    assert values(list(records(parsed("-")))) == [[1, 2]]
    standard_input(b"time,value\n2026-01-01,5\n2026-01-02,6\n")
    assert values(list(records(parsed("-", "--window", 2)))) == [[5, 6]]


def test_empty_and_too_large_events_are_errors_with_their_line(
    standard_input: Callable[[bytes], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    standard_input(b"")
    with pytest.raises(InvalidEventText, match="stdin: is empty"):
        list(records(parsed("-")))
    monkeypatch.setattr(produced_records, "MAX_EVENT_BYTES", 200)
    standard_input(orjson.dumps(EVENT) + b"\n" + orjson.dumps(EVENT | {"x": "y" * 200}) + b"\n")
    with pytest.raises(InvalidEventText, match="stdin, line 2: is larger than 200 bytes"):
        list(records(parsed("-")))


def test_two_replayed_series_need_different_names(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    words = (series(tmp_path, "a.csv"), series(tmp_path / "b", "a.csv"), "--replay")
    with pytest.raises(CsvError, match="two files have a series named 'a'; rename one of them"):
        next(records(parsed(*words)))


def test_the_same_tick_of_another_run_has_another_id() -> None:
    now_s = time.time()
    ids = [
        dict(message.headers)["ce_id"]
        for since in (now_s, now_s + 0.01)
        for message in islice(records(parsed("--shop", "--window", 2, "--since", since)), 3)
    ]
    assert len(set(ids)) == 6


def test_single_readings_have_the_destination_and_source_of_the_flags(tmp_path: Path) -> None:
    words = ("--format", "readings", "--destination", "mean", "--source", "/here", "--topic", "t")
    found = list(records(parsed(series(tmp_path, "a.csv"), *words)))
    headers = [dict(message.headers) for message in found]
    assert [(each["ce_destination"], each["ce_source"]) for each in headers] == [(b"mean", b"/here")] * 4
