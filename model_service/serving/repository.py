"""The versions in service, kept in step with their folders: a new one is loaded and warmed beside the old."""

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

# Versions of one model kept loaded, newest first (a pinned one in addition): training daily must not fill the memory.
# One that is refused takes no memory and does not count, else broken ones would push the last good one out.
LOADED_VERSIONS = 8
# Of several models the one that `/` means, unless another is chosen.
DEFAULT_NAME = "forecast"

Load = Callable[[VersionFolder], Model]


class Models(Protocol):
    """What is in service now."""

    paths: Mapping[str, Model]
    """`/`, `/<name>` and `/<name>/<version>` to the model that answers there; replaced as a whole."""

    def refresh(self) -> Sequence[Model]:
        """Look for changes and load what is new, which may take seconds; returns the models that went out of
        service. Called by one thread at a time."""


def find(models: Models, path: str) -> Model:
    """The model at a path of `Models.paths`. Raises RequestError: 404, or 503 while no model at all is in service."""
    paths = models.paths
    model = paths.get(path) or paths.get(path.rstrip("/"))
    if model is not None:
        return model
    if not paths:
        raise RequestError(503, "no model is in service yet")
    known = ", ".join(sorted(paths))
    raise RequestError(404, f"no model at {path[:200]!r}; there are {known[:1000]}")


class Repository:
    """The models under one folder."""

    def __init__(
        self, root: Path, load: Load, pins: Mapping[str, int] | None = None, default: str | None = None
    ) -> None:
        """pins: by name the version that answers at `/<name>`, whatever is newer. default: the name that `/` means
        (without it: the only one, or `forecast`)."""
        self.paths: Mapping[str, Model] = {}
        self.refused: Mapping[str, str] = {}  # "<name>/<version>" to the reason, of what is on disk now
        self._root = root
        self._load = load
        self._pins = dict(pins or {})
        self._default = default
        self._loaded: dict[VersionFolder, Model] = {}
        self._broken: dict[VersionFolder, str] = {}
        self._unreadable = ""

    def refresh(self) -> Sequence[Model]:
        try:
            folders = scan(self._root)
        except OSError as error:
            if str(error) != self._unreadable:
                log.error("%s cannot be read: %s; what is loaded stays in service", self._root, error)
            self._unreadable = str(error)
            return []
        self._unreadable = ""
        there = [folder for folder in folders if not folder.retired]
        self._broken = {folder: reason for folder, reason in self._broken.items() if folder in there}
        self._note_refused()
        wanted = self._open_wanted(there, folders)
        gone = [folder for folder in self._loaded if not self._stays(folder, wanted)]
        models = [self._loaded.pop(folder) for folder in gone]
        self._publish()
        remaining = {str(folder) for folder in self._loaded}
        for folder in gone:
            if str(folder) not in remaining:
                log.info("%s is out of service", folder)
        return models

    def _open_wanted(
        self, folders: Sequence[VersionFolder], on_disk: Sequence[VersionFolder]
    ) -> set[VersionFolder]:
        """Of each name the newest that can be loaded, and the pinned ones; what is new of them is loaded."""
        counts: dict[str, int] = {}
        wanted = set()
        for folder in folders:
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
        started = time.perf_counter()
        before = next((one for one in self._loaded if str(one) == str(folder)), None)
        try:
            folder.check_whole(on_disk)
            if before is not None and self._describe(before, folder):
                return
            model = self._load(folder)
        # Whatever a broken one has libraries raise must not keep the others from service.
        except (Exception, SystemExit) as error:
            known = isinstance(error, UnusableModel)
            reason = str(error) if known else f"{type(error).__name__}: {error}"
            self._broken[folder] = reason
            self._note_refused()
            log.error("%s is refused and stays out of service: %s", folder, reason, exc_info=not known)
            return
        self._loaded[folder] = model
        self._publish()
        kind, seconds = model.runtime.kind, time.perf_counter() - started
        what = "in service" if before is None else "reloaded, its files were replaced"
        log.info("%s is %s (%s, loaded in %.1f s)", folder, what, kind, seconds)

    def _describe(self, before: VersionFolder, now: VersionFolder) -> bool:
        """Give a loaded model its new model.json where nothing else was replaced: `fncast train` adds what the test
        part said to a version that is in service already. Raises UnusableModel."""
        if before.state != now.state or not self._loaded[before].describe(now.document(), now.details()):
            return False
        self._loaded[now] = self._loaded.pop(before)
        log.info("%s: its model.json was replaced, and is read anew", now)
        return True

    def _note_refused(self) -> None:
        self.refused = {str(folder): reason for folder, reason in self._broken.items()}

    def _stays(self, folder: VersionFolder, wanted: Set[VersionFolder]) -> bool:
        """A version whose files were replaced by broken ones stays as it was loaded."""
        if folder in wanted:
            return True
        return any(str(broken) == str(folder) and broken in wanted for broken in self._broken)

    def _publish(self) -> None:
        """Replace `paths` as a whole: a request sees all of a change or none of it."""
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
    """One model that does not change, given as a file or folder."""

    def __init__(self, model: Model) -> None:
        self.paths: Mapping[str, Model] = dict.fromkeys(("/", f"/{model.name}", f"/{model}"), model)

    def refresh(self) -> Sequence[Model]:
        return []


def loader(runtime: str, observe: Callable[[int, float], None]) -> Load:
    """Loads a version with the runtime asked for ("auto", "litert", "tensorflow")."""

    def load(folder: VersionFolder) -> Model:
        document, details = folder.document(), folder.details()
        opened = open_runtime(folder.path, runtime, is_doubtful=not has_hash(details))
        return Model(folder.name, folder.version, opened, document, details, observe)

    return load
