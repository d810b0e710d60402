"""Contestants in turn, round after round: what one fails at costs the others nothing."""

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
    """environments: those of `benchmarks/lib/environment.py` that its programs run in."""

    @property
    def name(self) -> str: ...
    @property
    def environments(self) -> Sequence[str]: ...


One = TypeVar("One", bound=Contestant)


async def take_turns(
    everyone: Sequence[One],
    rounds: int,
    turn: Callable[[One], Awaitable[None]],
    told: Callable[[One], str],
    install: Callable[[str], object] = python_of,
) -> list[str]:
    """Every one's turn, `rounds` times; returns the names of those that did not end every one.

    Environments are installed before the first turn: nothing is measured while pip runs, and what cannot be installed
    is not tried again each round. told: a line on the turn just taken.
    """
    failed: dict[str, None] = {}
    missing = _install(everyone, install)
    able = []
    for one in everyone:
        if lacking := [missing[name] for name in one.environments if name in missing]:
            failed[one.name] = None
            _say(f"{one.name}: {lacking[0]}")
        else:
            able.append(one)
    for number in range(rounds):
        for one in able:
            try:
                await turn(one)
                line = told(one)
            except Exception as error:  # whatever it is: what others did may be an hour's work
                failed[one.name] = None
                line = f"{one.name}: {reason(error)}"
            _say(f"round {number + 1}: {line}")
    return list(failed)


def _install(everyone: Sequence[Contestant], install: Callable[[str], object]) -> dict[str, str]:
    """Of the environments that cannot be had, why."""
    missing = {}
    for name in dict.fromkeys(name for one in everyone for name in one.environments):
        try:
            install(name)
        except NoEnvironment as error:
            missing[name] = str(error)
    return missing


def reason(error: Exception) -> str:
    """What failed, in one line or with the last words of a process."""
    is_known = isinstance(error, ProcessFailed | NoEnvironment | WrongForecasts | NoProfile | LoadFailed)
    return str(error) if is_known else repr(error)


def failures(failed: Sequence[str]) -> str:
    """A line for the page, empty where none failed."""
    return f"Did not end every run: {'; '.join(failed)}." if failed else ""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
