"""Predicts, without a model service and without TensorFlow, which versions on disk a model service would serve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from model_service.serving.model import Model
from model_service.serving.repository import LOADED_VERSIONS
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import (
    SAVED_MODEL_FILE,
    TFLITE_FILE,
    litert_is_installed,
    open_runtime,
)
from model_service.serving.version_folder import VersionFolder, has_hash


@dataclass(frozen=True)
class VersionState:
    """The state of one version.

    kind: "latest" is served at /<name> unless another version is pinned; "older" is served by its number only; "not
    loaded" is too old to be loaded; "retired"; "broken" is rejected by any model service.
    reason: why it is broken, or why it could not be checked; "" if it was run successfully or is not loaded.
    """

    kind: Literal["latest", "older", "not loaded", "retired", "broken"]
    reason: str = ""

    @property
    def serves(self) -> bool:
        """Whether a model service answers with this version, at /<name> or at its number."""
        return self.kind in ("latest", "older")

    def __str__(self) -> str:
        if self.kind == "broken":
            return f"broken: {self.reason}"
        return f"{self.kind}, not checked: {self.reason}" if self.reason else self.kind


def states(folders: Sequence[VersionFolder]) -> list[VersionState]:
    """The state of each of `folders`. folders: all versions of a folder of models, newest first, as from `scan`."""
    counts: dict[str, int] = {}
    have_latest: set[str] = set()
    found = []
    for folder in folders:
        if folder.is_retired:
            found.append(VersionState("retired"))
            continue
        count = counts.get(folder.name, 0)
        if count >= LOADED_VERSIONS:
            found.append(VersionState("not loaded"))
            continue
        try:
            folder.check_whole(folders)
            reason = _examine(folder)
        # A library or the code of a model may raise anything; check the other versions nevertheless.
        except (Exception, SystemExit) as error:
            is_known = isinstance(error, UnusableModel)
            reason = str(error) if is_known else f"{type(error).__name__}: {error}"
            found.append(VersionState("broken", reason))
            continue
        counts[folder.name] = count + 1
        found.append(VersionState("older" if folder.name in have_latest else "latest", reason))
        have_latest.add(folder.name)
    return found


def _examine(folder: VersionFolder) -> str:
    """Load a version and warm it up with LiteRT, as the service does.

    Returns why it could not be checked, "" if it passed. Raises UnusableModel if every model service rejects it.
    """
    document, details = folder.document(), folder.details()
    try:
        runtime = open_runtime(folder.path, "litert", is_unverified=not has_hash(details))
    except UnusableModel as error:
        if (folder.path / SAVED_MODEL_FILE).is_file():  # the service falls back to it
            has_lite = (folder.path / TFLITE_FILE).is_file()
            return "only TensorFlow can open it" + (f" ({error})" if has_lite else "")
        if not litert_is_installed():
            return str(error)
        raise
    Model(folder.name, folder.version, runtime, document, details)
    return ""
