"""Measures all contestants, round after round. A contestant that fails does not stop the others."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from benchmarks.lib.environment import NoEnvironment, python_of
from benchmarks.lib.meter import WrongForecasts
from benchmarks.lib.steps import NoProfile
from benchmarks.serving.http_load import LoadFailed
from fncast.demo.process import ProcessFailed


class Contestant(Protocol):
    """What is measured. environments: the names of the virtual environments that its programs run in."""

    @property
    def name(self) -> str: ...
    @property
    def environments(self) -> Sequence[str]: ...


AnyContestant = TypeVar("AnyContestant", bound=Contestant)


async def run_rounds(
    contestants: Sequence[AnyContestant],
    rounds: int,
    measure: Callable[[AnyContestant], Awaitable[None]],
    describe: Callable[[AnyContestant], str],
    install: Callable[[str], object] = python_of,
) -> list[str]:
    """Measure each contestant `rounds` times. Returns the names of those that failed at least once.

    All environments are installed before the first round, so that pip never runs during a measurement.
    describe: returns one line about the measurement that a contestant has just completed.
    """
    failed: dict[str, None] = {}
    missing = _install(contestants, install)
    runnable = []
    for contestant in contestants:
        if reasons := [missing[name] for name in contestant.environments if name in missing]:
            failed[contestant.name] = None
            _print_status(f"{contestant.name}: {reasons[0]}")
        else:
            runnable.append(contestant)
    for number in range(rounds):
        for contestant in runnable:
            try:
                await measure(contestant)
                line = describe(contestant)
            except Exception as error:  # any error: keep the results of the other contestants
                failed[contestant.name] = None
                line = f"{contestant.name}: {reason(error)}"
            _print_status(f"round {number + 1}: {line}")
    return list(failed)


def _install(contestants: Sequence[Contestant], install: Callable[[str], object]) -> dict[str, str]:
    """Install all environments. Returns the reason for each one that cannot be installed, by its name."""
    missing = {}
    for name in dict.fromkeys(name for contestant in contestants for name in contestant.environments):
        try:
            install(name)
        except NoEnvironment as error:
            missing[name] = str(error)
    return missing


def reason(error: Exception) -> str:
    """The reason of a failure, in one line or with the last log lines of a process."""
    is_known = isinstance(error, ProcessFailed | NoEnvironment | WrongForecasts | NoProfile | LoadFailed)
    return str(error) if is_known else repr(error)


def failures(failed: Sequence[str]) -> str:
    """A line for the page about failed contestants; empty where none failed."""
    return f"Failed in at least one round: {'; '.join(failed)}." if failed else ""


def _print_status(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
