"""The failure of a contestant does not affect the others."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

import pytest

from benchmarks.lib.environment import NoEnvironment
from benchmarks.lib.rounds import rounds_text, run_rounds
from fncast.demo.process import ProcessFailed


@dataclass
class Server:
    name: str
    environments: tuple[str, ...] = ()
    fails: Exception | None = None
    rounds: int = 0


def test_a_failure_does_not_affect_the_others() -> None:
    installed: list[str] = []

    def install(name: str) -> None:
        installed.append(name)
        if name == "broken":
            raise NoEnvironment("pip cannot install it")

    async def measure(server: Server) -> None:
        assert installed == ["one", "broken"]  # before the first round
        server.rounds += 1
        if server.fails:
            raise server.fails

    servers = [
        Server("good", ("one",)),
        Server("fails", fails=ProcessFailed("it ended")),
        Server("has a bug", fails=ValueError("no number")),
        Server("cannot be installed", ("one", "broken")),
        Server("last"),
    ]
    failed = asyncio.run(run_rounds(servers, 2, measure, lambda server: server.name, install))
    assert failed == ["cannot be installed", "fails", "has a bug"]
    assert [server.rounds for server in servers] == [2, 2, 2, 0, 2]


@pytest.mark.parametrize(("rounds", "text"), [(1, "1 round"), (2, "2 rounds")])
def test_the_number_of_rounds_is_a_grammatical_phrase(rounds: int, text: str) -> None:
    assert rounds_text(rounds) == text
