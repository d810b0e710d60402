"""What a model service would make of the versions on disk, as far as it can be known without one, or TensorFlow."""

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
    """kind: latest, what answers at /<name> where no other version is pinned; older, what answers by its number alone;
    not loaded, what is too old for that; retired; broken, what any model service refuses.

    reason: why it is broken; else why it could not be checked, "" where it was run as the service runs it, or is not
    loaded anyway."""

    kind: Literal["latest", "older", "not loaded", "retired", "broken"]
    reason: str = ""

    @property
    def serves(self) -> bool:
        return self.kind in ("latest", "older")

    def __str__(self) -> str:
        if self.kind == "broken":
            return f"broken: {self.reason}"
        return f"{self.kind}, not checked: {self.reason}" if self.reason else self.kind


def states(folders: Sequence[VersionFolder]) -> list[VersionState]:
    """Of each of `folders`, which are all versions of a folder of models as `scan` gives them: newest first."""
    counts: dict[str, int] = {}
    have_latest: set[str] = set()
    found = []
    for folder in folders:
        if folder.retired:
            found.append(VersionState("retired"))
            continue
        count = counts.get(folder.name, 0)
        if count >= LOADED_VERSIONS:
            found.append(VersionState("not loaded"))
            continue
        try:
            folder.check_whole(folders)
            reason = _examine(folder)
        # Whatever a library or a model's code raises, the other versions are examined.
        except (Exception, SystemExit) as error:
            known = isinstance(error, UnusableModel)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            found.append(VersionState("broken", reason))
            continue
        counts[folder.name] = count + 1
        found.append(VersionState("older" if folder.name in have_latest else "latest", reason))
        have_latest.add(folder.name)
    return found


def _examine(folder: VersionFolder) -> str:
    """Load and warm it with LiteRT as the service does; returns why that tells nothing, "" where it passed.

    Raises UnusableModel where every model service refuses it."""
    document, details = folder.document(), folder.details()
    try:
        runtime = open_runtime(folder.path, "litert", is_doubtful=not has_hash(details))
    except UnusableModel as error:
        if (folder.path / SAVED_MODEL_FILE).is_file():  # which the service turns to then
            has_lite = (folder.path / TFLITE_FILE).is_file()
            return "only TensorFlow can open it" + (f" ({error})" if has_lite else "")
        if not litert_is_installed():
            return str(error)
        raise
    Model(folder.name, folder.version, runtime, document, details)
    return ""
