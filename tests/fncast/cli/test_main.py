"""The command line: help imports little; wrong usage and failures have their exit codes."""

import argparse
import json
import shlex
import subprocess
import sys
from collections.abc import Callable

import pytest

from fncast.cli import commands
from fncast.cli.main import COMMANDS, Command, build_parser, load, main
from fncast.failure import Failure

HEAVY = ("tensorflow", "keras", "numpy", "aiohttp", "confluent_kafka", "uvicorn")
# Prints after each help the modules of HEAVY that have been imported so far.
PROGRAM = f"""
import json, sys
from fncast.cli.main import main
for words in json.loads(sys.argv[1]):
    try:
        main(words)
    except SystemExit as end:
        print("LOADED", end.code, *[name for name in {HEAVY!r} if name in sys.modules])
"""
Run = Callable[..., subprocess.CompletedProcess]


@pytest.fixture
def run(capsys) -> Run:
    """run(*words): the exit code and the output of `fncast` with these words, in this process."""

    def call(*words: str) -> subprocess.CompletedProcess:
        try:
            code = main(words)
        except SystemExit as end:
            code = end.code
        return subprocess.CompletedProcess(words, code, *capsys.readouterr())

    return call


def loaded_by(*commands: list[str]) -> list[set[str]]:
    """For each command, the modules of HEAVY that are imported when it and those before it have printed their help."""
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, json.dumps([[*words, "--help"] for words in commands])],
        capture_output=True,
        text=True,
        check=True,
        timeout=100,
    )
    lines = [line.split() for line in ended.stdout.splitlines() if line.startswith("LOADED")]
    assert [code for _, code, *_ in lines] == ["0"] * len(commands)
    return [set(modules) for _, _, *modules in lines]


def test_help_lists_the_commands_and_loads_none_of_them(run: Run):
    ended = run("--help")
    assert ended.returncode == 0
    assert all(name in ended.stdout for name in COMMANDS)
    assert loaded_by([]) == [set()]


def test_every_command_has_help_and_starts_without_tensorflow():
    names = sorted(COMMANDS)
    for name, modules in zip(names, loaded_by(*([name] for name in names)), strict=True):
        assert modules & {"tensorflow", "keras"} == set(), name


def parsers(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    """The parser and those of its actions."""
    found = [parser]
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found += [each for choice in action.choices.values() for each in parsers(choice)]
    return found


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_help_of_every_command_and_action_ends_with_an_example(command):
    [added] = [each for each in parsers(build_parser(command)) if each.prog == f"fncast {command}"]
    for parser in parsers(added):
        heading, *examples = parser.format_help().rpartition("example")[2].splitlines()
        assert heading in (":", "s:")
        assert examples
        assert all(f"{parser.prog} " in f"{line} " for line in examples)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_the_examples_are_valid(command):
    for line in load(command).EXAMPLES.strip().splitlines():
        words = shlex.split(
            line.rpartition("| fncast")[2]
            if "| fncast" in line
            else line.partition(" | ")[0].partition(" > ")[0]
        )
        words = words[words.index("fncast") + 1 :] if "fncast" in words else words
        assert build_parser(command).parse_args(words).command == command


@pytest.mark.parametrize(
    "words",
    [
        (),
        ("nonsense",),
        ("consume", "--nonsense"),
        ("watch", "--max", "x"),
        ("invoke", "--bootstrap-servers", "x", "forecast", "-"),
    ],
)
def test_wrong_usage_ends_with_exit_code_2(run: Run, words):
    ended = run(*words)
    assert ended.returncode == 2
    assert "usage: fncast" in ended.stderr
    assert ended.stdout == ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("consume", "--config", "none.toml"), "none.toml: No such file"),
        (("produce", "none.csv"), "none.csv"),
        (("invoke", "forecast", "none.json"), "none.json: No such file"),
        (("model-service", "--models", "nowhere"), "nowhere"),
        (("functions", "nowhere"), "nowhere"),
    ],
)
def test_a_failure_is_1_with_one_sentence(run: Run, words, message):
    ended = run(*words)
    assert ended.returncode == 1
    assert message in ended.stderr
    assert "Traceback" not in ended.stderr
    assert len(ended.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("text", "is_interrupt"),
    [
        ("<method 'flush' of 'cimpl.Producer' objects> returned NULL without setting an exception", True),
        ("x", False),
    ],
)
def test_a_second_ctrl_c_in_a_call_of_kafkas_client_prints_no_traceback(monkeypatch, text, is_interrupt):
    """Kafka's client then loses the KeyboardInterrupt."""

    class Raises:
        EXAMPLES = ""

        @staticmethod
        def add_arguments(parser):
            pass

        @staticmethod
        def run(arguments):
            raise SystemError(text)

    monkeypatch.setattr(sys.modules["fncast.cli.main"], "load", lambda _: Raises)
    if is_interrupt:
        assert main(["watch"]) == 130
    else:
        with pytest.raises(SystemError):
            main(["watch"])


def test_ctrl_c_while_a_command_is_imported(tmp_path, monkeypatch, capfd):
    """numpy turns an interrupted import into an ImportError with a page of advice."""
    (tmp_path / "interrupted.py").write_text(
        "import os, signal\n"
        "try: os.kill(os.getpid(), signal.SIGINT); import this_takes_a_while\n"
        "except KeyboardInterrupt: raise ImportError('your installation is broken')\n"
        "except ImportError: pass\n"
        "EXAMPLES = ''\n"
        "add_arguments = run = lambda _: 0\n"
    )
    monkeypatch.setattr(commands, "__path__", [str(tmp_path)])
    monkeypatch.setitem(COMMANDS, "interrupted", Command("demo", "no help"))
    assert main(["interrupted"]) == 130
    assert capfd.readouterr().err == ""


def test_a_port_in_use_is_one_sentence(run: Run):
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ended = run("consume", "--port", port)
    assert ended.returncode == 1
    assert ended.stderr.strip() == f"fncast: port {port} on 127.0.0.1 is in use; choose another with --port"


def test_the_version_is_printed():
    command = [sys.executable, "-m", "fncast", "--version"]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert ended.stdout.startswith("fncast ")


def test_a_failure_is_printed_without_terminal_control_characters(monkeypatch, capsys):
    class Fails:
        EXAMPLES = "fncast watch"

        @staticmethod
        def add_arguments(parser):
            pass

        @staticmethod
        def run(arguments):
            raise Failure("rejected: \x1b[2J\r\n2026-01-01 INFO fncast: forged\r\x07\nfncast: forged")

    monkeypatch.setattr("fncast.cli.main.load", lambda name: Fails)
    assert main(["watch"]) == 1
    shown = capsys.readouterr().err
    assert shown == "fncast: rejected: �\n    2026-01-01 INFO fncast: forged �\n    fncast: forged\n"
