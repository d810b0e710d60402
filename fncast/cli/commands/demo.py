"""`fncast demo`: runs all parts on this machine, with an embedded broker and the live page."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from fncast.cli.arguments.models_folder import models_folder
from fncast.cli.arguments.series_files import (
    FILES,
    add_reading_arguments,
    check_stdin_once,
    read_file,
    reading_words,
)
from fncast.demo.plan import HOST, DemoPorts, Plan, free_ports
from fncast.demo.process import ProcessFailed
from fncast.demo.supervisor import DemoSupervisor
from fncast.failure import Failure
from fncast.http.listener import bind
from fncast.http.port import parse_port
from fncast.wording.count import counted
from model_service.serving.runtimes.runtime import UnusableModel

PORT = 8090
NAME_WIDTH = 13

EXAMPLES = """
fncast demo
fncast demo --csv samples/web-shop.csv --port 8091
fncast demo --seconds 60
fncast demo --train
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--port", type=parse_port, default=PORT, help="the live page's port (default: %(default)s)"
    )
    parser.add_argument(
        "--seconds",
        type=_positive,
        metavar="N",
        help="stop N seconds after the start; the training of a model counts, too (default: run until Ctrl-C)",
    )
    parser.add_argument(
        "--csv",
        type=Path,
        nargs="+",
        default=[],
        metavar="FILE",
        help=f"replay these files of readings ({FILES}) instead of this machine's metrics and the web shop",
    )
    parser.add_argument(
        "--models",
        type=models_folder,
        default=Path("models"),
        metavar="DIR",
        help="folder of a trained model; if it exists, the model is used instead of the base model (default: models)",
    )
    parser.add_argument(
        "--train", action="store_true", help="train a model first, which takes about half a minute"
    )
    add_reading_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Run until Ctrl-C, SIGTERM or --seconds, then print a summary. Raises Failure."""
    if not arguments.csv and (words := reading_words(arguments)):
        raise Failure(f"{words[0].partition('=')[0]} says how to read a file: name the file with --csv")
    bind(HOST, arguments.port).close()
    check_stdin_once(arguments.csv)
    folder = Path(tempfile.mkdtemp(prefix="fncast-demo-"))
    keep_logs = False
    try:
        arguments.csv = [_stdin_file(folder) if str(file) == "-" else file for file in arguments.csv]
        for file in arguments.csv:
            read_file(file, arguments)
        keep_logs = True
        asyncio.run(_run(arguments, folder))
        keep_logs = False
    except (ProcessFailed, UnusableModel) as error:
        raise Failure(str(error)) from None
    except OSError as error:
        raise Failure(f"{error.strerror}: {error.filename}" if error.filename else str(error)) from None
    finally:
        if not keep_logs:
            shutil.rmtree(folder, ignore_errors=True)
    return 0


def _stdin_file(folder: Path) -> Path:
    """Save standard input to a file, so that a restarted source can read it again."""
    path = folder / "stdin.csv"
    with path.open("wb") as file:
        shutil.copyfileobj(sys.stdin.buffer, file)
    return path


async def _run(arguments: argparse.Namespace, folder: Path) -> None:
    """Run all parts until a signal or the end of --seconds. Raises ProcessFailed, UnusableModel, OSError."""
    started_s = time.monotonic()
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(signal_number, stop.set)

    def report(name: str, text: str) -> None:
        print(
            f"{time.monotonic() - started_s:6.1f} s  {name:<{NAME_WIDTH}}  {text}",
            file=sys.stderr,
            flush=True,
        )

    print(f"fncast demo: each part is a separate process on this machine; logs in {folder}", file=sys.stderr)
    page, *others = free_ports(6)
    ports = DemoPorts(arguments.port or page, *others)
    plan = Plan(
        ports,
        folder / "fncast.toml",
        arguments.models,
        reading_words(arguments),
        arguments.train,
    )
    supervisor = DemoSupervisor(plan, folder, arguments.csv, report)
    running = asyncio.create_task(supervisor.run())
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait(
            {running, stopping}, timeout=arguments.seconds, return_when=asyncio.FIRST_COMPLETED
        )
        if running.done():
            running.result()
        report("", "stopping")
    finally:
        stopping.cancel()
        running.cancel()
        with contextlib.suppress(asyncio.CancelledError, ProcessFailed, UnusableModel, OSError):
            await running
        await supervisor.close()
    _print_summary(supervisor)


def _print_summary(supervisor: DemoSupervisor) -> None:
    print("\n".join(supervisor.summary.lines()))
    if received := supervisor.pager.received:
        print(f"{counted(received, 'message')} about anomalies and alerts, sent by the function notify")
    if supervisor.model is None:
        print("the demo ended before a model was trained, which takes about half a minute; run it for longer")
    evaluation = supervisor.model.evaluation() if supervisor.model else []
    if evaluation and supervisor.model:
        print(
            f"error of {supervisor.model.folder} on data that was not used in training,"
            " relative to repeating the last value:"
        )
        print("\n".join(f"  {line}" for line in evaluation))


def _positive(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < 1e9:
        raise argparse.ArgumentTypeError(f"must be a positive number of seconds, not {text!r}")
    return seconds
