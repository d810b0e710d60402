"""Chooses the runtime for a model on disk. Imports only the chosen one, because TensorFlow is slow and large."""

from __future__ import annotations

import importlib.util
import logging
from collections.abc import Sequence
from pathlib import Path

from model_service.serving.runtimes.litert_probe import check_loads
from model_service.serving.runtimes.runtime import Runtime, UnusableModel

log = logging.getLogger(__name__)

RUNTIMES = ("auto", "litert", "tensorflow")
TFLITE_FILE = "model.tflite"
SIZED_FILES = "model-*.tflite"  # the pattern of the files model-<window>.tflite
SAVED_MODEL_FILE = "saved_model.pb"


def open_runtime(
    path: Path,
    runtime: str = "auto",
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    is_unverified: bool = False,
) -> Runtime:
    """Load a model with `runtime` ("auto", "litert" or "tensorflow").

    path: a folder with saved_model.pb, model.tflite or a model-<window>.tflite for each window size; a .tflite file, or
    a frozen graph (.pb).
    runtime: "auto" means LiteRT if there is a model.tflite and ai_edge_litert is installed, else TensorFlow; also
    TensorFlow if LiteRT cannot load the file and there is a saved_model.pb.
    inputs, outputs: names of nodes of a frozen graph. Default: its placeholders, and nodes that no other node reads.
    is_unverified: there is no hash to check the files, so a .tflite file is first opened in a child process.
    Raises UnusableModel.
    """
    if path.suffix == ".pb":
        if runtime == "litert":
            raise UnusableModel(f"{path} is a frozen graph, which needs the TensorFlow runtime")
        return _tensorflow(path, inputs, outputs)
    if sizes := sized_files(path):
        return _sized(path, sizes, runtime, is_unverified)
    tflite = path if path.suffix == ".tflite" else path / TFLITE_FILE
    has_saved_model = (path / SAVED_MODEL_FILE).is_file()
    if not tflite.is_file() and not has_saved_model:
        raise UnusableModel(f"{path} contains neither {SAVED_MODEL_FILE} nor {TFLITE_FILE}")
    if runtime == "tensorflow" or not tflite.is_file() or (runtime == "auto" and not litert_is_installed()):
        if not has_saved_model:
            raise UnusableModel(f"{path} contains no {SAVED_MODEL_FILE}, which the TensorFlow runtime needs")
        if runtime == "litert":
            raise UnusableModel(f"{path} contains no {TFLITE_FILE}, which the LiteRT runtime needs")
        return _tensorflow(path, inputs, outputs)
    try:
        if is_unverified and litert_is_installed():
            check_loads(tflite)
        return _litert(tflite)
    except UnusableModel as error:
        if runtime == "litert" or not has_saved_model:
            raise
        log.warning("%s; trying TensorFlow", error)
        return _tensorflow(path, inputs, outputs)


def sized_files(path: Path) -> dict[int, Path]:
    """The files `model-<window>.tflite` of a model with several window sizes, by window; empty for other models."""
    found = {file.stem.removeprefix("model-"): file for file in path.glob(SIZED_FILES)}
    return {int(name): found[name] for name in found if name.isascii() and name.isdecimal()}


def _sized(path: Path, sizes: dict[int, Path], runtime: str, is_unverified: bool) -> Runtime:
    if runtime == "tensorflow":
        raise UnusableModel(
            f"{path} is the base model or was trained from it, and is exported for LiteRT only: it has a file for each"
            " window size and no SavedModel; --runtime litert or auto serves it"
        )
    from model_service.serving.runtimes.sized_runtime import SizedRuntime

    if is_unverified and litert_is_installed():
        for file in sizes.values():
            check_loads(file)
    return SizedRuntime({window: _litert(file) for window, file in sizes.items()})


def litert_is_installed() -> bool:
    """Whether the package of LiteRT can be imported."""
    return importlib.util.find_spec("ai_edge_litert") is not None


def _litert(path: Path) -> Runtime:
    try:
        from model_service.serving.runtimes.litert_runtime import LiteRTRuntime
    except ImportError as error:
        raise UnusableModel(
            f"{path} needs LiteRT ({error}): install it with pip install '.[model-service]' in fncast's repository"
        ) from None
    return LiteRTRuntime(path)


def _tensorflow(path: Path, inputs: Sequence[str], outputs: Sequence[str]) -> Runtime:
    try:
        from model_service.serving.runtimes import tensorflow_runtime
    except ImportError as error:
        raise UnusableModel(
            f"{path} needs TensorFlow ({error}): install it with pip install '.[training]' in fncast's repository"
        ) from None
    if path.suffix == ".pb":
        return tensorflow_runtime.FrozenGraphRuntime(path, inputs, outputs)
    return tensorflow_runtime.SavedModelRuntime(path)
