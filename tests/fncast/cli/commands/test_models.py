"""`fncast models` on folders with a model.json and an empty SavedModel, which cannot be opened."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fncast.cli.commands import models as models_command
from fncast.cli.main import build_parser, main
from tests.fncast.cli.conftest import Write


def test_a_closed_stdout_is_not_an_error(
    tmp_path: Path, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with `fncast models compare | head`: main() handles BrokenPipeError quietly."""

    def print_comparison(*_: object) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    write(1)
    write(2)
    monkeypatch.setattr(models_command, "print_comparison", print_comparison)
    arguments = build_parser("models").parse_args(["models", "compare", "--models", str(tmp_path)])
    with pytest.raises(BrokenPipeError):
        models_command.run(arguments)


def test_a_version_is_retired_and_put_back(models: Any, write: Write) -> None:
    write(1)
    two = write(2)
    assert models("retire", "2") == (0, "", "forecast/2 is retired; forecast/1 is the latest now\n")
    assert (two / "retired").exists()
    code, _, error = models("retire", "1")
    assert code == 1
    assert "the last version in service; pass --force" in error
    assert models("retire", "1", "--force")[0] == 0
    assert "forecast/2 is no longer retired; it is latest, not checked" in models("retire", "2", "--undo")[2]
    assert not (two / "retired").exists()


def test_rollback_goes_one_step_or_to_a_version(models: Any, write: Write) -> None:
    folders = {version: write(version) for version in (1, 2, 3, 4)}

    def retired() -> list[int]:
        return [version for version, folder in folders.items() if (folder / "retired").exists()]

    assert "forecast/3 is the latest now" in models("rollback")[2]
    assert retired() == [4]
    models("rollback", "--to", "1")
    assert retired() == [2, 3, 4]
    code, _, error = models("rollback")
    assert code == 1
    assert "no version to roll back to; there are 4 (retired), 3 (retired), 2 (retired), 1" in error
    models("rollback", "--to", "2")  # forward again
    assert retired() == [3, 4]


def test_a_broken_version_neither_counts_nor_takes_over(models: Any, write: Write) -> None:
    folders = {version: write(version) for version in (1, 2, 3, 4)}
    for broken in (2, 4):
        (folders[broken] / "model.json").write_text("{")
    code, _, error = models("rollback", "--to", "2")
    assert code == 1
    assert "forecast/2 cannot take over, it is broken: " in error
    assert "forecast/1 is the latest now" in models("rollback")[2]
    assert [version for version in folders if (folders[version] / "retired").exists()] == [2, 3, 4]
    code, _, error = models("retire", "1")
    assert code == 1
    assert "the last version in service" in error
    assert "it is broken: " in models("retire", "4", "--undo")[2]
    assert "there are 4 (broken), 3 (retired), 2 (retired), 1" in models("rollback")[2]
    assert models("retire", "4")[2] == "forecast/4 is retired; forecast/1 is the latest now\n"


def test_missing_models_and_versions_are_clear_errors(models: Any, write: Write, tmp_path: Path) -> None:
    assert "fncast train --models" in models("list")[2]
    write(1)
    assert "no version 7 of forecast; there is only 1" in models("retire", "7")[2]
    assert "two versions are needed" in models("compare")[2]
    assert "no model 'price'" in models("list", "--name", "price")[2]
    assert main(["models", "list", "--models", str(tmp_path / "away")]) == 1
    write(1, "load")
    (tmp_path / "forecast").rename(tmp_path / "price")
    assert "choose one with --name" in models("rollback")[2]
