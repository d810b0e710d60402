import io

import pytest

from fncast.cli.output.progress import Progress


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def now() -> list[float]:
    return [0.0]


def test_a_bar_moves_in_a_terminal(now: list[float]) -> None:
    terminal = Terminal()
    progress = Progress("methods", "forecasts", terminal, lambda: now[0])
    for now[0], done in ((0.0, 0), (65.0, 0), (70.0, 6), (125.0, 12)):
        progress(done, 12)
    shown = terminal.getvalue().replace("\x1b[K", "").split("\r")[1:]
    assert shown == [
        f"methods [{'.' * 24}] 0/12 forecasts, 0:00",
        f"methods [{'.' * 24}] 0/12 forecasts, 1:05",
        f"methods [{'#' * 12}{'.' * 12}] 6/12 forecasts, 1:10",
        f"methods [{'#' * 24}] 12/12 forecasts, 2:05\n",
    ]


def test_without_a_terminal_a_line_every_few_seconds_and_one_at_the_end(now: list[float]) -> None:
    log = io.StringIO()
    progress = Progress("methods", "forecasts", log, lambda: now[0])
    for now[0] in range(26):
        progress(int(now[0]), 26)
    progress(26, 26)
    assert log.getvalue().splitlines() == [
        "methods: 0/26 forecasts, 0:00",
        "methods: 10/26 forecasts, 0:10",
        "methods: 20/26 forecasts, 0:20",
        "methods: 26/26 forecasts, 0:25",
    ]
