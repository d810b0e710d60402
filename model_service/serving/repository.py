"""Keeps the served versions in step with the folder of models: loads and warms up new versions, closes removed ones."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence, Set
from pathlib import Path
from typing import Protocol

from model_service.serving.model import Model
from model_service.serving.request_error import RequestError
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import open_runtime
from model_service.serving.version_folder import VersionFolder, has_hash, scan

log = logging.getLogger(__name__)

# Versions of a model that stay loaded, newest first, plus the pinned one; this bounds the memory. Rejected versions do
# not count, so that broken versions cannot displace the last working one.
LOADED_VERSIONS = 8
# The model that `/` addresses if there are several and none is chosen.
DEFAULT_NAME = "forecast"

Load = Callable[[VersionFolder], Model]


class Models(Protocol):
    """The models in service."""

    paths: Mapping[str, Model]
    """`/`, `/<name>` and `/<name>/<version>` to their models. The mapping is never changed, only replaced."""

    def refresh(self) -> Sequence[Model]:
        """Look for changes on disk and load new versions, which may take seconds.

        Returns the models that are no longer served. Call it from one thread at a time.
        """


def find(models: Models, path: str) -> Model:
    """The model at a path of `Models.paths`. Raises RequestError: 404, or 503 while no model is in service."""
    paths = models.paths
    model = paths.get(path) or paths.get(path.rstrip("/"))
    if model is not None:
        return model
    if not paths:
        raise RequestError(503, "no model is in service yet")
    known = ", ".join(sorted(paths))
    raise RequestError(404, f"no model at {path[:200]!r}; there are {known[:1000]}")


class Repository:
    """The models in one folder. Owned by the server; only `refresh` changes it."""

    def __init__(
        self, root: Path, load: Load, pins: Mapping[str, int] | None = None, default: str | None = None
    ) -> None:
        """pins: by model name, the version that `/<name>` addresses even if there are newer ones. default: the name of
        the model that `/` addresses; None for the only one, or `forecast`.
        """
        self.paths: Mapping[str, Model] = {}
        self.rejected: Mapping[str, str] = {}  # "<name>/<version>" to the reason, for versions on disk
        self._root = root
        self._load = load
        self._pins = dict(pins or {})
        self._default = default
        self._loaded: dict[VersionFolder, Model] = {}
        self._broken: dict[VersionFolder, str] = {}
        self._unreadable: Mapping[Path, str] = {}  # folders that cannot be read, with the reason

    def refresh(self) -> Sequence[Model]:
        """Look at the folder: load new versions, and drop those that are replaced, retired or gone.

        Returns the models that went out of service. An unreadable folder is logged and changes nothing; that of one
        model does not affect the others.
        """
        unreadable: dict[Path, str] = {}
        try:
            folders = scan(self._root, unreadable)
        except OSError as error:
            self._note_unreadable({self._root: str(error)})
            return []
        self._note_unreadable(unreadable)
        active = [folder for folder in folders if not folder.is_retired]
        self._broken = {folder: reason for folder, reason in self._broken.items() if folder in active}
        self._note_rejected()
        wanted = self._open_wanted(active, folders)
        unknown = {model.name for model in unreadable}
        gone = [
            folder
            for folder in self._loaded
            if folder.name not in unknown and not self._stays(folder, wanted)
        ]
        models = [self._loaded.pop(folder) for folder in gone]
        self._publish()
        remaining = {str(folder) for folder in self._loaded}
        for folder in gone:
            if str(folder) not in remaining:
                log.info("%s is out of service", folder)
        return models

    def _open_wanted(
        self, active: Sequence[VersionFolder], on_disk: Sequence[VersionFolder]
    ) -> set[VersionFolder]:
        """Select the newest working versions of each model and the pinned ones, and load those that are new.

        active: the versions that are not retired. on_disk: all versions. Both newest first.
        """
        counts: dict[str, int] = {}
        wanted = set()
        for folder in active:
            count = counts.get(folder.name, 0)
            if count >= LOADED_VERSIONS and self._pins.get(folder.name) != folder.version:
                continue
            wanted.add(folder)
            if folder not in self._loaded and folder not in self._broken:
                self._open(folder, on_disk)
            if folder in self._loaded:
                counts[folder.name] = count + 1
        return wanted

    def _open(self, folder: VersionFolder, on_disk: Sequence[VersionFolder]) -> None:
        """Load a version and put it into service, or note why it is broken. Raises nothing a model may raise."""
        started = time.perf_counter()
        before = next((loaded for loaded in self._loaded if str(loaded) == str(folder)), None)
        try:
            folder.check_whole(on_disk)
            if before is not None and self._replace_document(before, folder):
                return
            model = self._load(folder)
        # A broken version may make libraries raise anything. The other versions must be served nevertheless.
        except (Exception, SystemExit) as error:
            is_known = isinstance(error, UnusableModel)
            reason = str(error) if is_known else f"{type(error).__name__}: {error}"
            self._broken[folder] = reason
            self._note_rejected()
            log.error("%s is rejected and not served: %s", folder, reason, exc_info=not is_known)
            return
        self._loaded[folder] = model
        self._publish()
        kind, seconds = model.runtime.kind, time.perf_counter() - started
        what = "in service" if before is None else "reloaded, its files were replaced"
        log.info("%s is %s (%s, loaded in %.1f s)", folder, what, kind, seconds)

    def _replace_document(self, before: VersionFolder, now: VersionFolder) -> bool:
        """Give a loaded model its new model.json if no other file changed. Returns whether this was possible.

        `fncast train` adds the test metrics to a version that may be in service already. Raises UnusableModel.
        """
        if before.state != now.state or not self._loaded[before].replace_document(
            now.document(), now.details()
        ):
            return False
        self._loaded[now] = self._loaded.pop(before)
        log.info("%s: model.json was replaced and has been read again", now)
        return True

    def _note_unreadable(self, found: Mapping[Path, str]) -> None:
        """Log each folder that cannot be read, once. found: the folders and the reasons."""
        for path, reason in found.items():
            if self._unreadable.get(path) != reason:
                log.error("%s cannot be read: %s; the loaded versions stay in service", path, reason)
        self._unreadable = found

    def _note_rejected(self) -> None:
        """Replace `rejected` with a new mapping of the broken versions."""
        self.rejected = {str(folder): reason for folder, reason in self._broken.items()}

    def _stays(self, folder: VersionFolder, wanted: Set[VersionFolder]) -> bool:
        """Whether a loaded version stays in service: it is wanted, or its files were replaced by broken ones."""
        if folder in wanted:
            return True
        return any(str(broken) == str(folder) and broken in wanted for broken in self._broken)

    def _publish(self) -> None:
        """Replace `paths` with a new mapping, so that a request sees all of a change or none of it."""
        paths: dict[str, Model] = {}
        for folder, model in sorted(self._loaded.items(), key=lambda item: item[0].version):
            paths[f"/{folder}"] = model
            if self._pins.get(folder.name, folder.version) == folder.version:
                paths[f"/{folder.name}"] = model  # the newest comes last
        names = {folder.name for folder in self._loaded}
        default = self._default or (next(iter(names)) if len(names) == 1 else DEFAULT_NAME)
        if f"/{default}" in paths:
            paths["/"] = paths[f"/{default}"]
        self.paths = paths


class SingleModel:
    """A single model, given as a file or folder, that never changes."""

    def __init__(self, model: Model) -> None:
        self.paths: Mapping[str, Model] = dict.fromkeys(("/", f"/{model.name}", f"/{model}"), model)

    def refresh(self) -> Sequence[Model]:
        """Return no models: this one stays in service."""
        return []


def loader(runtime: str, observe: Callable[[int, float], None]) -> Load:
    """A function that loads a version. runtime: "auto", "litert" or "tensorflow". observe: see Model."""

    def load(folder: VersionFolder) -> Model:
        document, details = folder.document(), folder.details()
        opened = open_runtime(folder.path, runtime, is_unverified=not has_hash(details))
        return Model(folder.name, folder.version, opened, document, details, observe)

    return load
