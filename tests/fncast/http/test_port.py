"""Port flags of every command that listens."""

import argparse
import os
import subprocess
import sys

import pytest

from fncast.cli.commands import consume, dashboard, demo, functions, model_service

COMMANDS = [
    (consume, []),
    (dashboard, []),
    (demo, []),
    (functions, ["DIR"]),
    (model_service, ["--models", "DIR"]),
]


def parsed(command, words: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fncast")
    command.add_arguments(parser)
    return parser.parse_args(words)


@pytest.mark.parametrize(("command", "words"), COMMANDS)
@pytest.mark.parametrize("text", ["65536", "70000", "-1", "http", "²", "9" * 5000])
def test_an_invalid_port_is_wrong_usage(command, words, text, capsys):
    with pytest.raises(SystemExit) as ended:
        parsed(command, [*words, f"--port={text}"])
    assert ended.value.code == 2
    assert "argument --port: must be a port from 0 to 65535" in capsys.readouterr().err


@pytest.mark.parametrize(("command", "words"), COMMANDS)
@pytest.mark.parametrize("text", ["0", "65535"])
def test_any_port_is_accepted(command, words, text):
    assert parsed(command, [*words, "--port", text]).port == int(text)


@pytest.mark.parametrize("text", ["65536", "9" * 5000, "some"])
def test_the_grpc_port_may_also_be_none(text, capsys):
    assert parsed(model_service, ["--models", "DIR", "--grpc-port", "0"]).grpc_port == 0
    with pytest.raises(SystemExit):
        parsed(model_service, ["--models", "DIR", "--grpc-port", text])
    error = capsys.readouterr().err
    assert "argument --grpc-port: must be a port from 0 to 65535" in error
    assert error.endswith("; or none\n")


def test_an_invalid_port_in_the_settings_ends_the_command_with_one_sentence(tmp_path):
    environment = {name: text for name, text in os.environ.items() if not name.startswith("FNCAST_")}
    done = subprocess.run(
        [sys.executable, "-m", "fncast", "consume", "--bootstrap-servers", "127.0.0.1:1"],
        env=environment | {"FNCAST_ADMIN__PORT": "99999"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert (
        done.stderr == "fncast: environment variable FNCAST_ADMIN__PORT: port 99999 is not from 0 to 65535\n"
    )
