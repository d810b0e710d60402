"""Measures contestants in turn, several times. The failure of one does not affect the others."""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol, TypeVar

from benchmarks.lib.environment import NoEnvironment, python_of
from benchmarks.lib.failure import MeasurementFailed
from fncast.demo.process import ProcessFailed

WRONG = "lost, doubled or disordered events"


class Contestant(Protocol):
    """A program or pipeline that is measured beside others.

    environments: those of `benchmarks/lib/environment.py` that it needs.
    """

    @property
    def name(self) -> str: ...
    @property
    def environments(self) -> Sequence[str]: ...


C = TypeVar("C", bound=Contestant)


async def run_rounds(
    contestants: Sequence[C],
    rounds: int,
    measure: Callable[[C], Awaitable[None]],
    describe: Callable[[C], str],
    install: Callable[[str], object] = python_of,
) -> list[str]:
    """Measure each contestant once a round. Returns the names of those that failed at least once.

    Environments are installed before the first round, so that pip does not run during a measurement. describe: returns
    a line about the last measurement.
    """
    failed: dict[str, None] = {}
    missing = _install(contestants, install)
    complete = []
    for contestant in contestants:
        if reasons := [missing[name] for name in contestant.environments if name in missing]:
            failed[contestant.name] = None
            _log(f"{contestant.name}: {reasons[0]}")
        else:
            complete.append(contestant)
    for number in range(rounds):
        for contestant in complete:
            try:
                await measure(contestant)
                line = describe(contestant)
            except Exception as error:  # keep the results of the others, which may be an hour's work
                failed[contestant.name] = None
                line = f"{contestant.name}: {reason(error)}"
            _log(f"round {number + 1}: {line}")
    return list(failed)


def _install(contestants: Sequence[Contestant], install: Callable[[str], object]) -> dict[str, str]:
    """Install all environments. Returns by name why one cannot be installed."""
    missing = {}
    for name in dict.fromkeys(name for contestant in contestants for name in contestant.environments):
        try:
            install(name)
        except NoEnvironment as error:
            missing[name] = str(error)
    return missing


def rounds_text(rounds: int) -> str:
    """Return "1 round" or "3 rounds", for the facts of a measurement."""
    return f"{rounds} round{'s' * (rounds != 1)}"


def reason(error: Exception) -> str:
    """Return why a measurement failed: one line, or the last lines of a process. For a bug, its exception."""
    return str(error) if isinstance(error, MeasurementFailed | ProcessFailed) else repr(error)


def failures(failed: Sequence[str]) -> str:
    """Return a note for the result; empty if none failed."""
    return f"Some runs failed: {'; '.join(failed)}." if failed else ""


def report_problems(program: str, wrong: Sequence[str], failed: Sequence[str]) -> int:
    """Print the names of pipelines with wrong forecasts, and of those that failed. Returns the exit code."""
    if wrong:
        _log(f"{program}: {WRONG}: {'; '.join(wrong)}")
    if failed:
        _log(f"{program}: some runs failed: {'; '.join(failed)}")
    return 1 if wrong or failed else 0


def _log(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
