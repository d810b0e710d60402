"""The command line of fncast: a table of commands. A command's module is imported when the command is called."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Protocol, cast

from fncast.cli.process.log import MAX_CHARACTERS, set_up
from fncast.failure import Failure
from fncast.foreign_text import clean


class CommandModule(Protocol):
    """The interface of a command module in `fncast/cli/commands/`.

    EXAMPLES: command lines, one on each line, which `--help` shows at the end. Each action of a command needs one.
    """

    EXAMPLES: str

    def add_arguments(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's flags to `parser`."""

    def run(self, arguments: argparse.Namespace) -> int:
        """Run the command. Returns the exit code. Raises Failure."""


@dataclass(frozen=True)
class Command:
    """extra: the extra of setup.cfg with its dependencies. help: one line."""

    extra: str
    help: str


PACKAGE = "fncast.cli.commands"
# By name. The module has the same name in PACKAGE, with `_` for `-`.
COMMANDS = {
    "demo": Command("demo", "run all parts on this machine, with an embedded broker and a live page"),
    "init": Command("consumer", "look at a topic and print the settings that forecast it"),
    "check": Command("consumer", "try every hop from the broker to the model and print a table"),
    "train": Command("training", "train a model and write it as the next version"),
    "evaluate": Command("training", "backtest a model and compare it with naive and classical methods"),
    "detect": Command("detect", "find the anomalies in files of readings"),
    "model-service": Command("model-service", "serve models over GraphPipe and the Open Inference Protocol"),
    "models": Command(
        "model-service", "list and compare the versions of a model, retire a version or roll back"
    ),
    "functions": Command("functions", "run Fn functions locally, behind Fn's HTTP API"),
    "deploy": Command("functions", "put a function's image on an Fn server"),
    "consume": Command("consumer", "route events from Kafka to functions and publish the answers"),
    "monitor": Command("consumer", "publish the accuracy of forecasts, anomalies and alerts"),
    "produce": Command("source", "publish CSV files or events to Kafka as CloudEvents"),
    "watch": Command("dashboard", "print new forecasts"),
    "dashboard": Command("dashboard", "serve a live page: readings, forecasts, anomalies, alerts"),
    "dead-letters": Command("consumer", "list rejected events with their reasons and replay them"),
    "state": Command("consumer", "show or reset the snapshots of the windows' state"),
    "invoke": Command("consumer", "send one event to a function, without Kafka"),
}

# A failure may hold the last lines of a process' log.
MAX_FAILURE_LINES = 50
LOG_LEVELS = ("debug", "info", "warning", "error")


def build_parser(command: str | None) -> argparse.ArgumentParser:
    """The parser with the flags of `command`. Other command modules are not imported, so that `--help` is fast."""
    parser = argparse.ArgumentParser(
        prog="fncast",
        description="Forecasts for streams of readings: CloudEvents in on Kafka, forecasts out.",
        epilog="fncast COMMAND --help shows the flags of one command and examples. To begin: fncast demo",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version and exit")
    parser.add_argument(
        "--log-level",
        choices=LOG_LEVELS,
        default="info",
        help="the least severe records that are logged on stderr (default: %(default)s)",
    )
    subparsers = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, entry in COMMANDS.items():
        subparser = subparsers.add_parser(
            name, help=entry.help, description=entry.help[0].upper() + entry.help[1:] + "."
        )
        if name == command:
            module = load(name)
            module.add_arguments(subparser)
            _add_examples(subparser, module.EXAMPLES)
    return parser


def _add_examples(parser: argparse.ArgumentParser, examples: str) -> None:
    """Add to the help of `parser` and of each of its actions the examples that call it."""
    matching = [line for line in examples.strip().splitlines() if f"{parser.prog} " in f"{line} "]
    parser.epilog = "\n  ".join(["examples:" if len(matching) > 1 else "example:", *matching])
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for subparser in action.choices.values():
                _add_examples(subparser, examples)


class _Version(argparse.Action):
    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # slow to import: only for --version

        print(f"fncast {version('fncast')}")
        parser.exit()


def load(name: str) -> CommandModule:
    """Import the module of a command.

    Ctrl-C is deferred: numpy reports an interrupted import as a broken installation.
    """
    from fncast.cli.process.interrupt import DeferInterrupt

    with DeferInterrupt() as interrupt:
        interrupt.begin()
        return cast(CommandModule, importlib.import_module(f"{PACKAGE}.{name.replace('-', '_')}"))


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 for success and 1 for a failure (one sentence on stderr). Wrong usage exits with 2."""
    words = list(sys.argv[1:] if argv is None else argv)
    name = next((word for word in words if word in COMMANDS), None)
    try:
        arguments = build_parser(name).parse_args(words)
        set_up(arguments.log_level)
        return load(arguments.command).run(arguments)
    except Failure as failure:
        print(f"fncast: {_shown(failure)}", file=sys.stderr)
        return 1
    except ModuleNotFoundError as missing:
        if missing.name is None or find_spec(missing.name.partition(".")[0]) is not None:
            raise  # a module of an installed package is missing: installing an extra would not help
        extra = COMMANDS[name].extra if name else "demo"
        print(
            f"fncast: `{name}` needs the module {missing.name!r}: "
            f"install it with pip install '.[{extra}]' in fncast's repository",
            file=sys.stderr,
        )
        return 1
    except KeyboardInterrupt:
        return 130
    except SystemError as error:
        if "without setting an exception" not in str(error):
            raise
        return 130  # two signals at once: Kafka's client has lost the KeyboardInterrupt
    except BrokenPipeError:  # `fncast watch | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _shown(failure: Failure) -> str:
    """The text of a failure without control characters. Lines after the first are indented."""
    lines = [clean(line.strip(), MAX_CHARACTERS) for line in str(failure).split("\n")]
    return "\n    ".join(lines[:MAX_FAILURE_LINES])
