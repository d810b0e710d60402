"""Trains the base model: `make base-model`. Resumable; the same seed gives the same model on the same machine."""

from __future__ import annotations

import argparse
import hashlib
import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from model_service.serving.version_folder import DOCUMENT_FILE
from model_service.training.backend import tf
from model_service.training.base.calibration import STILL, calibrate, calibrate_widening
from model_service.training.base.examples import draw_examples, draw_gaps
from model_service.training.base.fit import BATCH, CHUNK, FitProgress, fit, loss_on, validation_examples
from model_service.training.base.folder import describe, export, litert_file, weights_file, write_litert
from model_service.training.base.network import build_base_network
from model_service.training.base.pool import SeriesPool
from model_service.training.base.shape import SIZES, Size
from model_service.training.model_folder import read_model_json

COMMAND = "make base-model"
STEPS = {64: 6_000, 512: 2_800}
# The steps of a run that starts from trained weights. The short size gets one after its first run.
STEPS_OF_TRAINED = {64: 2_500, 512: 800}
TRAINED_FURTHER = (64,)
# Series for calibration have numbers from here on: neither trained nor validated on.
CALIBRATION_FROM, CALIBRATION_SERIES, CALIBRATION_EXAMPLES = 1 << 29, 1_500, 12_000


def main(words: Sequence[str] | None = None) -> int:
    """Train or export the base model. Returns the exit code."""
    arguments = parse(words)
    try:
        if arguments.export:
            export_again(arguments.export, arguments.out, command(arguments))
        else:
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
        "--export",
        type=Path,
        metavar="DIR",
        help="only write the LiteRT files of this version again, after a change of the graph",
    )
    parser.add_argument(
        "--start",
        type=Path,
        metavar="DIR",
        help=f"train the weights in this folder of a version further (default: {STEPS_OF_TRAINED} steps)",
    )
    parser.add_argument(
        "--only",
        type=int,
        choices=[size.window for size in SIZES],
        help="write a version of one size; with --start, train only this size and keep the other one",
    )
    arguments = parser.parse_args(words)
    if arguments.steps is not None and (arguments.steps < CHUNK or arguments.steps % CHUNK):
        parser.error(f"--steps must be a multiple of {CHUNK}, not {arguments.steps}")
    for flag in ("start", "export"):
        folder = getattr(arguments, flag)
        if folder and not (folder / DOCUMENT_FILE).is_file():
            parser.error(f"--{flag}: {folder} has no {DOCUMENT_FILE}; name the folder of a version")
    for size in SIZES:
        if (
            not arguments.start
            and not arguments.export
            and arguments.only not in (None, size.window)
            and (arguments.out / weights_file(size)).exists()
        ):
            parser.error(
                f"{arguments.out} has {size.window} readings too: with --only, choose another folder as --out"
            )
    return arguments


def state_folder(state: Path, size: Size, seed: int, steps: int, start: Path | None = None) -> Path:
    """The folder of checkpoints of one run. Runs with other settings have others, so none continues another run.

    start: the weights that the run starts from.
    """
    begin = "" if start is None else f"-start-{hashlib.sha256(start.read_bytes()).hexdigest()[:12]}"
    return state / f"{size.window}-seed-{seed}-steps-{steps}{begin}"


def command(arguments: argparse.Namespace) -> str:
    """The command that repeats the run."""
    words = []
    if arguments.seed:
        words += ["--seed", str(arguments.seed)]
    if arguments.steps:
        words += ["--steps", str(arguments.steps)]
    if arguments.start:
        words += ["--start", str(arguments.start)]
    if arguments.only:
        words += ["--only", str(arguments.only)]
    if arguments.calibrate:
        words += ["--calibrate", str(arguments.calibrate)]
    if arguments.export:
        words += ["--export", str(arguments.export)]
    return f'{COMMAND} BASE="{shlex.join(words)}"' if words else COMMAND


def train(arguments: argparse.Namespace) -> None:
    """Train, calibrate and write each size, then describe them."""
    # One thread: small operations gain nothing from more, and the order of sums stays the same.
    tf.config.threading.set_intra_op_parallelism_threads(1)
    networks: dict[Size, Any] = {}
    metrics: dict[str, Any] = {}
    before = read_model_json(arguments.start) if arguments.start else {}
    for size in SIZES:
        if arguments.only not in (None, size.window):
            if arguments.start:
                networks[size] = copy_size(size, arguments.start, arguments.out)
                metrics[str(size.window)] = before["training"]["sizes"][str(size.window)]
            continue
        network, steps = trained_network(size, arguments)
        rng = np.random.default_rng((arguments.seed, 3))
        pool = SeriesPool(arguments.seed, CALIBRATION_FROM, CALIBRATION_SERIES).series
        gaps = draw_gaps(rng, CALIBRATION_SERIES, size.window)
        calibrate(network, size, draw_examples(rng, pool, CALIBRATION_EXAMPLES, size, gaps, STILL))
        calibrate_widening(network, size, pool, rng)
        export(network, size, arguments.out)
        networks[size] = network
        loss = loss_on(network, validation_examples(size, arguments.seed))
        metrics[str(size.window)] = {
            "steps": sum(steps),
            "batch": BATCH[size.window],
            "validation_loss": float(f"{loss:.4g}"),
        }
    training: dict[str, Any] = {"command": command(arguments), "seed": arguments.seed, "sizes": metrics}
    if before:
        training["start"] = {"weights": before["weights"], "training": before["training"]}
    describe(networks, arguments.out, training)
    print(arguments.out)


def trained_network(size: Size, arguments: argparse.Namespace) -> tuple[Any, list[int]]:
    """A trained network of a size, not yet calibrated, and the steps of each run that trained it."""
    if arguments.calibrate:
        network = build_base_network(size)
        network.load_weights(arguments.calibrate / weights_file(size))
        return network, [arguments.steps or STEPS[size.window]]
    start = arguments.start / weights_file(size) if arguments.start else None
    steps = [arguments.steps or (STEPS_OF_TRAINED if start else STEPS)[size.window]]
    folder = state_folder(arguments.state, size, arguments.seed, steps[0], start)
    network = fit(size, steps[0], arguments.seed, folder, _print, start=start)
    if start or arguments.steps or size.window not in TRAINED_FURTHER:
        return network, steps
    start = folder / weights_file(size)
    if not start.exists():  # the name of the next folder of checkpoints has the hash of this file
        network.save_weights(folder / f"unfinished-{weights_file(size)}")
        (folder / f"unfinished-{weights_file(size)}").replace(start)
    steps.append(STEPS_OF_TRAINED[size.window])
    folder = state_folder(arguments.state, size, arguments.seed, steps[1], start)
    return fit(size, steps[1], arguments.seed, folder, _print, start=start), steps


def export_again(source: Path, out: Path, again: str) -> None:
    """Write the LiteRT files of a version from its weights. again: the command, for model.json."""
    before = read_model_json(source)
    networks = {}
    for size in SIZES:
        if str(size.window) in before["weights"]:
            networks[size] = build_base_network(size)
            networks[size].load_weights(source / weights_file(size))
            out.mkdir(parents=True, exist_ok=True)
            write_litert(networks[size], size, out)
            if source.resolve() != out.resolve():
                shutil.copy(source / weights_file(size), out)
    describe(networks, out, {**before["training"], "exported": again})
    print(out)


def copy_size(size: Size, start: Path, out: Path) -> Any:
    """Copy one size of a version to the folder of another version. Returns its network."""
    network = build_base_network(size)
    network.load_weights(start / weights_file(size))
    out.mkdir(parents=True, exist_ok=True)
    for name in (weights_file(size), litert_file(size)):
        shutil.copy(start / name, out / name)
    return network


def _print(progress: FitProgress) -> None:
    print(
        f"step {progress.step} of {progress.steps}: loss {progress.loss:.4f},"
        f" validation {progress.validation:.4f}, {progress.seconds:.0f} s",
        file=sys.stderr,
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())
