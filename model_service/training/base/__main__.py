"""Trains the base model: `make base-model`. Resumable; the same seed gives the same model on the same machine."""

from __future__ import annotations

import argparse
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_service.training.backend import tf
from model_service.training.base.calibration import calibrate, calibrate_widening
from model_service.training.base.examples import draw_examples, draw_gaps
from model_service.training.base.fit import BATCH, CHUNK, FitProgress, fit, loss_on, validation_examples
from model_service.training.base.folder import describe, export, weights_file
from model_service.training.base.network import build_base_network
from model_service.training.base.pool import SeriesPool
from model_service.training.base.shape import SIZES, Size

COMMAND = "make base-model"
STEPS = {64: 6_000, 512: 2_800}
# Series for calibration have numbers from here on: neither trained nor validated on.
CALIBRATION_FROM, CALIBRATION_SERIES, CALIBRATION_EXAMPLES = 1 << 29, 1_500, 12_000


def main(words: Sequence[str] | None = None) -> int:
    arguments = parse(words)
    try:
        train(arguments)
    except KeyboardInterrupt:
        print("interrupted: the same command continues after the last step that was printed", file=sys.stderr)
        return 130
    return 0


def parse(words: Sequence[str] | None) -> argparse.Namespace:
    """The arguments. Ends the program if they are wrong."""
    parser = argparse.ArgumentParser(prog="python -m model_service.training.base", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder of the version: …/base/1")
    parser.add_argument("--state", type=Path, required=True, help="folder of checkpoints, to resume from")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, help=f"of each size, a multiple of {CHUNK} (default: {STEPS})")
    parser.add_argument(
        "--calibrate",
        type=Path,
        metavar="DIR",
        help="only calibrate the weights in this folder of a version again",
    )
    parser.add_argument(
        "--only", type=int, choices=[size.window for size in SIZES], help="write a version of one size"
    )
    arguments = parser.parse_args(words)
    if arguments.steps is not None and (arguments.steps < CHUNK or arguments.steps % CHUNK):
        parser.error(f"--steps must be a multiple of {CHUNK}, not {arguments.steps}")
    for size in SIZES:
        if arguments.only not in (None, size.window) and (arguments.out / weights_file(size)).exists():
            parser.error(
                f"{arguments.out} has {size.window} readings too: with --only, choose another folder as --out"
            )
    return arguments


def state_folder(state: Path, size: Size, seed: int, steps: int) -> Path:
    """The folder of checkpoints of one run. Runs with other settings have others, so none continues another run."""
    return state / f"{size.window}-seed-{seed}-steps-{steps}"


def command(arguments: argparse.Namespace) -> str:
    """The command that repeats the run."""
    words = []
    if arguments.seed:
        words += ["--seed", str(arguments.seed)]
    if arguments.steps:
        words += ["--steps", str(arguments.steps)]
    if arguments.only:
        words += ["--only", str(arguments.only)]
    if arguments.calibrate:
        words += ["--calibrate", str(arguments.calibrate)]
    return f'{COMMAND} BASE="{shlex.join(words)}"' if words else COMMAND


def train(arguments: argparse.Namespace) -> None:
    """Train, calibrate and write each size, then describe them."""
    # One thread: small operations gain nothing from more, and the order of sums stays the same.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    networks: dict[Size, Any] = {}
    metrics = {}
    for size in SIZES:
        if arguments.only not in (None, size.window):
            continue
        steps = arguments.steps or STEPS[size.window]
        if arguments.calibrate:
            network = build_base_network(size)
            network.load_weights(arguments.calibrate / weights_file(size))
        else:
            folder = state_folder(arguments.state, size, arguments.seed, steps)
            network = fit(size, steps, arguments.seed, folder, _print)
        rng = np.random.default_rng((arguments.seed, 3))
        pool = SeriesPool(arguments.seed, CALIBRATION_FROM, CALIBRATION_SERIES).series
        gaps = draw_gaps(rng, CALIBRATION_SERIES, size.window)
        calibrate(network, size, draw_examples(rng, pool, CALIBRATION_EXAMPLES, size, gaps))
        calibrate_widening(network, size, pool, rng)
        export(network, size, arguments.out)
        networks[size] = network
        loss = loss_on(network, validation_examples(size, arguments.seed))
        metrics[str(size.window)] = {
            "steps": steps,
            "batch": BATCH[size.window],
            "validation_loss": float(f"{loss:.4g}"),
        }
    training = {"command": command(arguments), "seed": arguments.seed, "sizes": metrics}
    describe(networks, arguments.out, training)
    print(arguments.out)


def _print(progress: FitProgress) -> None:
    print(
        f"step {progress.step} of {progress.steps}: loss {progress.loss:.4f},"
        f" validation {progress.validation:.4f}, {progress.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
