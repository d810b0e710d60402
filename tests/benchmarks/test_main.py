"""`python -m benchmarks`, as `make bench` calls it."""

from __future__ import annotations

import pytest

from benchmarks import __main__ as benchmarks

Calls = dict[str, list[str]]
EVERY_PART = [
    "end_to_end",
    "delay",
    "model_service",
    "growth",
    "readings",
    "monitor",
    "protocols",
    "quality_front",
]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """The arguments of each part."""
    called: Calls = {}

    def replace(name: str, code: int) -> None:
        def part(argv: list[str]) -> int:
            called[name] = argv
            return code

        monkeypatch.setitem(benchmarks.PARTS, name, part)

    for name in benchmarks.PARTS:
        replace(name, code=name == "delay")
    return called


def test_one_part_accepts_its_flags(calls: Calls) -> None:
    assert benchmarks.main(["end_to_end", "--scale", "0.1", "--only", "fncast"]) == 0
    assert calls == {"end_to_end": ["--scale", "0.1", "--only", "fncast"]}


def test_a_value_of_a_flag_may_be_the_name_of_a_part(calls: Calls) -> None:
    assert benchmarks.main(["readings", "--only", "delay"]) == 0
    assert calls == {"readings": ["--only", "delay"]}


def test_each_part_gets_the_flags_that_it_accepts_and_a_failure_does_not_stop_the_others(
    calls: Calls,
) -> None:
    assert benchmarks.main(["--bootstrap", "broker:9092", "--rounds", "1"]) == 1
    assert list(calls) == EVERY_PART
    assert set(calls["growth"]) == {"--bootstrap", "broker:9092", "--rounds", "1"}
    assert set(calls["monitor"]) == {"--bootstrap", "broker:9092", "--rounds", "1"}
    assert calls["protocols"] == calls["model_service"] == ["--rounds", "1"]


def test_a_bug_of_one_part_does_not_stop_the_others(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    def part(argv: list[str]) -> int:
        raise ValueError("no number")

    monkeypatch.setitem(benchmarks.PARTS, "delay", part)
    assert benchmarks.main([]) == 1
    assert list(calls) == [part for part in EVERY_PART if part != "delay"]
