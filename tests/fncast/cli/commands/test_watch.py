"""`fncast watch` as its users run it, a process on a broker, and what it prints about missing topics."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from typing import IO, Any

import pytest

from fncast.cli.commands.watch import status_text
from fncast.cli.main import main
from fncast.dashboard.kafka.broker_state import BrokerState

Process = subprocess.Popen[str]


@pytest.fixture
def watch(broker: Any) -> Iterator[Any]:
    started: list[Process] = []

    def begin(*words: str, address: str = broker.address) -> Process:
        command = [sys.executable, "-m", "fncast", "watch", "--bootstrap-servers", address, *words]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        started.append(process)
        return process

    yield begin
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", ["0", "-1", "x", "1.5"])
def test_a_wrong_number_of_forecasts_is_wrong_usage(number: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["watch", f"--max={number}"])
    assert ended.value.code == 2
    assert f"argument --max: must be a whole number of 1 or more, not '{number}'" in capsys.readouterr().err


def publish(broker: Any, make: Any, **more: Any) -> None:
    record = make.forecast([4.0, 5.0], 3, low=[3.0, 3.0], high=[6.0, 7.0], **more)
    broker.publish("forecasts", record.value, headers=record.headers)


def line_with(stream: IO[str] | None, text: str) -> str:
    assert stream is not None
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"{text!r} was not printed")


def test_prints_one_line_per_forecast_and_stops_after_n(broker: Any, watch: Any, make: Any) -> None:
    for series in ("cpu", "memory", "disk"):
        publish(broker, make, series=series)
    process = watch("--from-beginning", "--max", "2")
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert ["cpu" in line and "forecast v1" in line for line in out.splitlines()] == [True, False]
    assert len(out.splitlines()) == 2


def test_json_prints_one_structured_event_per_line(broker: Any, watch: Any, make: Any) -> None:
    publish(broker, make, event_id="f1", cause="w1")
    out, _ = watch("--from-beginning", "--json", "--max", "1").communicate(timeout=60)
    event = json.loads(out)
    assert (event["id"], event["causationid"], event["data"]["values"]) == ("f1", "w1", [4.0, 5.0])


def test_a_function_cannot_control_the_terminal(broker: Any, watch: Any, make: Any) -> None:
    record = make.forecast([4.0], 3, series="pump\u202e\x9b31m")
    headers = [*record.headers, ("ce_modelname", b"\x1b[2J\x1b[31mEVIL\x1b[0m\r\nx")]
    broker.publish("forecasts", record.value, headers=headers)
    broker.publish("forecasts", None, headers=[pair for pair in headers if pair[0] != "content-type"])
    for words in ((), ("--json",)):
        out, err = watch("--from-beginning", "--max", "1", *words).communicate(timeout=60)
        assert "EVIL" in out
        assert out.removesuffix("\n").isprintable(), out
        assert "\x1b" not in err
    assert json.loads(out)["subject"] == "pump\u202e\x9b31m"


def test_records_that_are_not_forecasts_are_reported_and_skipped(broker: Any, watch: Any, make: Any) -> None:
    broker.publish("forecasts", b"not an event")
    publish(broker, make)
    out, err = watch("--from-beginning", "--max", "1").communicate(timeout=60)
    assert "cpu" in out
    assert "forecasts/0@0 cannot be shown" in err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_reports_that_it_waits_and_ends_quietly(watch: Any, number: signal.Signals) -> None:
    process = watch(address="127.0.0.1:1")
    line_with(process.stderr, "waiting for the broker 127.0.0.1:1")
    process.send_signal(number)
    out, err = process.communicate(timeout=40)
    assert (process.returncode, out) == (0, "")
    assert "Traceback" not in err


def test_starts_with_the_next_forecast(broker: Any, watch: Any, make: Any) -> None:
    publish(broker, make, series="old")
    process = watch("--max", "1")
    line_with(process.stderr, "reading")
    publish(broker, make, series="new")
    out, _ = process.communicate(timeout=60)
    assert "new" in out
    assert "old" not in out


def test_the_name_of_a_topic_cannot_control_the_terminal() -> None:
    state = BrokerState(True, 0.0, missing=(("a\x1b[2J\nb", "does not exist yet"),))
    text = status_text(state, "localhost:9092")
    assert text.isprintable()
    assert "does not exist yet" in text
