"""`fncast functions`: runs the folders of Fn functions behind Fn's HTTP API, without an Fn server."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

import functions
from fncast.cli.arguments.functions import app_argument, pair_argument
from fncast.failure import Failure
from fncast.http.security import Security, add_listener_arguments
from fncast.http.server import serve
from functions.host.app import PROCESSES, FunctionHost
from functions.host.errors import NotStarted
from functions.host.folder import InvalidFunction, read_folder
from functions.host.socket_folder import create_socket_folder

# Each process is a Python interpreter with numpy.
MAX_PROCESSES = 64

EXAMPLES = """
GP_SERVER_URL=http://localhost:9000 fncast functions functions/forecast
fncast functions functions/forecast functions/mine --config GP_SERVER_URL=http://localhost:9000
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders",
        metavar="DIR",
        nargs="+",
        type=Path,
        help="a folder with func.yaml and func.py; functions/forecast and functions/notify come with fncast",
    )
    add_listener_arguments(parser, port=8080)
    parser.add_argument(
        "--app",
        default="fncast",
        type=app_argument,
        help="the Fn app that the functions are in (default: %(default)s)",
    )
    parser.add_argument(
        "--processes",
        type=_processes,
        default=PROCESSES,
        metavar="N",
        help="processes of each function (default: %(default)s)",
    )
    parser.add_argument(
        "--config",
        action="append",
        default=[],
        type=pair_argument,
        metavar="KEY=VALUE",
        help="configuration of the functions, such as GP_SERVER_URL=http://localhost:9000; may be repeated (default:"
        " the environment variable that func.yaml names, else the value in func.yaml)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve the functions until SIGINT or SIGTERM. Returns the exit code. Raises Failure."""
    if importlib.util.find_spec("fdk") is None:
        raise Failure(
            "functions need Fn's FDK: install it with pip install '.[functions]' in fncast's repository"
        )
    try:
        folders = [read_folder(_shipped(path)) for path in arguments.folders]
        host = FunctionHost(
            folders, os.environ, dict(arguments.config), app=arguments.app, processes=arguments.processes
        )
        create_socket_folder().rmdir()  # each process needs one: fail now if it cannot be created
    except (InvalidFunction, NotStarted) as error:
        raise Failure(str(error)) from None
    names = ", ".join(f"{arguments.app}/{folder.name}" for folder in folders)
    return serve(
        host,
        arguments.host,
        arguments.port,
        ready=f"functions {names} at {{url}}",
        security=Security.of(arguments),
    )


def _shipped(path: Path) -> Path:
    """The folder, or the one that comes with fncast, such as `functions/forecast`, where there is no such folder.

    The command is the same in fncast's repository and in the folder of a user's fncast.toml.
    """
    shipped = Path(functions.__path__[0]) / path.name
    is_shipped = path.parts == ("functions", path.name) and (shipped / "func.yaml").exists()
    return shipped if is_shipped and not path.exists() else path


def _processes(text: str) -> int:
    number = int(text) if text.isdecimal() else 0
    if not 1 <= number <= MAX_PROCESSES:
        raise argparse.ArgumentTypeError(f"must be a whole number from 1 to {MAX_PROCESSES}, not {text!r}")
    return number
