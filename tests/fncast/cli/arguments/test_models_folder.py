"""The flag --models: an empty name is wrong usage."""

import argparse

import pytest

from fncast.cli.commands import demo, evaluate, model_service, models, train

COMMANDS = [
    (demo, []),
    (evaluate, ["a.csv"]),
    (model_service, []),
    (models, ["list"]),
    (train, ["a.csv"]),
]


@pytest.mark.parametrize(("command", "words"), COMMANDS)
def test_an_empty_folder_is_wrong_usage_and_not_the_current_one(command, words, capsys):
    parser = argparse.ArgumentParser(prog="fncast")
    command.add_arguments(parser)
    with pytest.raises(SystemExit) as ended:
        parser.parse_args([*words, "--models", ""])
    assert ended.value.code == 2
    assert "argument --models: is empty; the current folder is '.'" in capsys.readouterr().err
    assert str(parser.parse_args([*words, "--models", "."]).models) == "."
