"""`fncast state`: the table of snapshots, and the question before a reset."""

from __future__ import annotations

import io
import json
import sys
import time

import pytest

from consumer.state.inspection import PartitionSummary
from fncast.cli.commands import state
from fncast.cli.commands.state import confirmed, print_summaries
from fncast.cli.main import main
from fncast.failure import Failure


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def summary(age_s: float = 0.0, topic: str = "metrics") -> PartitionSummary:
    newest_ms = int(1000 * (time.time() - age_s))
    return PartitionSummary(topic, 3, "assemble", 2, 100, 7, 8, 900, newest_ms)


def cells(capsys: pytest.CaptureFixture[str]) -> list[list[str]]:
    return [line.split() for line in capsys.readouterr().out.splitlines()]


def test_a_snapshot_is_a_row_of_the_table(capsys: pytest.CaptureFixture[str]) -> None:
    print_summaries([summary(7_260), PartitionSummary("metrics", 0, "judge")], as_json=False)
    header, first, second = cells(capsys)
    assert dict(zip(header, first, strict=True)) == {
        "topic": "metrics", "partition": "3", "interceptor": "assemble", "offset": "100", "age": "2.0h",
        "series": "7", "bytes": "900", "version": "2",
    }  # fmt: skip
    assert [second[header.index(name)] for name in ("offset", "series", "version")] == ["-", "-", "-"]


@pytest.mark.parametrize(
    ("age_s", "text"), [(5.0, "5s"), (90.0, "1.5m"), (5_400.0, "1.5h"), (129_600.0, "1.5d"), (-50.0, "0s")]
)
def test_the_age_has_one_unit(age_s: float, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    print_summaries([summary(age_s)], as_json=False)
    assert cells(capsys)[1][4] == text


def test_json_has_a_line_for_each_snapshot(capsys: pytest.CaptureFixture[str]) -> None:
    print_summaries([summary(), summary(topic="other")], as_json=True)
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(each["topic"], each["offset"]) for each in found] == [("metrics", 100), ("other", 100)]


@pytest.mark.parametrize("as_json", [False, True])
def test_names_cannot_control_the_terminal(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    print_summaries([summary(topic="\x1b[2J\nEVIL")], as_json=as_json)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == (1 if as_json else 2)
    assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize(
    ("answer", "is_yes"), [("y\n", True), (" YES \n", True), ("\n", False), ("n\n", False)]
)
def test_only_a_yes_confirms(answer: str, is_yes: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", Terminal(answer))
    assert confirmed("Delete it?") is is_yes


def test_without_a_terminal_the_flag_is_needed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))
    with pytest.raises(Failure, match="pass --yes to delete the state without being asked"):
        confirmed("Delete it?")
    assert main(["state", "reset", "--bootstrap-servers", "127.0.0.1:1"]) == 1
    assert "pass --yes" in capsys.readouterr().err


class FakeStateTopic:
    """A group with state of the topic `telegraf-by-series`."""

    def __init__(self, *_: object) -> None:
        self._left = [summary(topic="telegraf-by-series")]

    def summaries(self) -> list[PartitionSummary]:
        return self._left

    def reset(self, topics: list[str], *, is_replayed: bool) -> list[tuple[str, int]]:
        found = [(each.topic, each.partition) for each in self._left if not topics or each.topic in topics]
        self._left = [each for each in self._left if (each.topic, each.partition) not in found]
        return found


@pytest.mark.parametrize(
    ("topics", "message"),
    [
        (["telegraf"], "has no state of telegraf. It has state of telegraf-by-series"),
        (["telegraf", "telegraf-by-series"], "has no state of telegraf. It has none of other topics"),
        (["telegraf-by-series"], ""),
        ([], ""),
    ],
)
def test_a_topic_without_state_is_named(
    topics: list[str], message: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(state, "StateTopic", FakeStateTopic)
    named = [word for topic in topics for word in ("--topic", topic)]
    assert main(["state", "reset", "--yes", *named]) == (1 if message else 0)
    shown = capsys.readouterr()
    assert (
        shown.out == f"deleted the state of {'0 partitions' if topics == ['telegraf'] else '1 partition'}\n"
    )
    assert message in shown.err
