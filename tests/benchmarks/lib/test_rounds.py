"""One that fails costs the others nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from benchmarks.lib.environment import NoEnvironment
from benchmarks.lib.rounds import take_turns
from fncast.demo.process import ProcessFailed


@dataclass
class Server:
    name: str
    environments: tuple[str, ...] = ()
    fails: Exception | None = None
    turns: list[int] = field(default_factory=list)


def test_what_one_fails_at_costs_the_others_nothing() -> None:
    installed: list[str] = []

    def install(name: str) -> None:
        installed.append(name)
        if name == "broken":
            raise NoEnvironment("pip cannot install it")

    async def turn(server: Server) -> None:
        assert installed == ["one", "broken"]  # before the first turn
        server.turns.append(len(server.turns))
        if server.fails:
            raise server.fails

    servers = [
        Server("good", ("one",)),
        Server("fails", fails=ProcessFailed("it ended")),
        Server("has a bug", fails=ValueError("no number")),
        Server("cannot be installed", ("one", "broken")),
        Server("last"),
    ]
    failed = asyncio.run(take_turns(servers, 2, turn, lambda server: server.name, install))
    assert failed == ["cannot be installed", "fails", "has a bug"]
    assert [len(server.turns) for server in servers] == [2, 2, 2, 0, 2]
