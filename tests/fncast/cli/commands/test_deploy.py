"""`fncast deploy`: a server's texts are printed without terminal control characters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import fncast.cli.commands.deploy
from fncast.cli.main import main
from functions.deployment import DeployError

FORECAST = str(Path(__file__).parents[4] / "functions" / "forecast")
FORGED = "\x1b[2J\x1b[31mEVIL\r\n2026-01-01 INFO fncast: forged\u202e"


def deploy(monkeypatch: pytest.MonkeyPatch, answer_or_error: Any) -> int:
    async def answer(*_: object) -> Any:
        if isinstance(answer_or_error, Exception):
            raise answer_or_error
        return answer_or_error

    monkeypatch.setattr(fncast.cli.commands.deploy, "deploy_folder", answer)
    config = ["--config", "GP_SERVER_URL=http://127.0.0.1:9000"]
    return main(["deploy", FORECAST, "--image", "x", *config])


def test_an_address_of_the_server_is_one_clean_line(monkeypatch: Any, capsys: Any) -> None:
    assert deploy(monkeypatch, [f"http://fn/{FORGED}", "http://fn/t"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2
    assert "EVIL" in lines[0]
    assert all(line.isprintable() for line in lines)


def test_an_error_of_the_server_is_one_clean_line(monkeypatch: Any, capsys: Any) -> None:
    assert deploy(monkeypatch, DeployError(f"rejected with 400: {FORGED}" + "x" * 5000)) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.isprintable()
    assert "EVIL" in line
    assert len(line) < 1100
