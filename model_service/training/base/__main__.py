"""Trains the base model: `make base-model`. Resumable; the same seed gives the same model on the same machine."""

from __future__ import annotations

import argparse
import shlex
import signal
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from model_service.serving.version_folder import is_model_name, is_version_number
from model_service.training.base.fit import CHUNK
from model_service.training.base.folder import describe
from model_service.training.base.shape import SIZES
from model_service.training.base.size_training import STEPS, train

COMMAND = "make base-model"


def main(words: Sequence[str] | None = None) -> int:
    """Train the base model. Returns the exit code."""
    arguments = parse(words)
    run = partial(train, out=arguments.out, state=arguments.state, seed=arguments.seed, steps=arguments.steps)
    try:
        # Ctrl-C ends the processes at once: their state is in files.
        with ProcessPoolExecutor(
            len(SIZES), get_context("spawn"), signal.signal, (signal.SIGINT, signal.SIG_DFL)
        ) as processes:
            trained = list(processes.map(run, SIZES))
    except (KeyboardInterrupt, BrokenProcessPool):
        print(
            "interrupted, or a process was killed: the same command continues after the last step that was printed",
            file=sys.stderr,
        )
        return 130
    describe(trained, arguments.out, command(arguments), arguments.seed)
    print(arguments.out)
    return 0


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    """The arguments. Ends the program if they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m model_service.training.base", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the version: …/base/1")
    parser.add_argument("--state", type=Path, required=True, help="folder of checkpoints, to resume from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help=f"of each size, a multiple of {CHUNK} (default: {STEPS})")
    arguments = parser.parse_args(words)
    if arguments.steps is not None and (arguments.steps < CHUNK or arguments.steps % CHUNK):
        parser.error(f"--steps must be a multiple of {CHUNK}, not {arguments.steps}")
    if not 0 <= arguments.seed < 1 << 32:
        parser.error(f"--seed must be from 0 to {(1 << 32) - 1}, not {arguments.seed}")
    if not (is_model_name(arguments.out.parent.name) and is_version_number(arguments.out.name)):
        parser.error(
            f"--out must end with the name and the number of a version, such as base/1, not {arguments.out}"
        )
    return arguments


def command(arguments: argparse.Namespace) -> str:
    """The command that repeats the run."""
    words = []
    if arguments.seed:
        words += ["--seed", str(arguments.seed)]
    if arguments.steps:
        words += ["--steps", str(arguments.steps)]
    return f'{COMMAND} BASE="{shlex.join(words)}"' if words else COMMAND


if __name__ == "__main__":
    sys.exit(main())
