"""The folders that versions live in: DIR/<name>/<version>/, as `fncast train` writes them.

A version is written elsewhere beside them and renamed into place, so a folder is there whole or not at all.
A file named `retired` in it takes it out of service; without the file it is back (`fncast models`).
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import SAVED_MODEL_FILE, TFLITE_FILE

log = logging.getLogger(__name__)

DOCUMENT_FILE = "model.json"
RETIRED_FILE = "retired"
# The member of model.json that tells what the model's files are, by their names.
HASHES = "files_sha256"
HASHED_FILES = (TFLITE_FILE, SAVED_MODEL_FILE)
# Paths of the server (and of the Open Inference Protocol) that a model must not stand in for.
RESERVED_NAMES = frozenset({"v2", "control", "metrics", "healthz", "readyz"})
MAX_DOCUMENT_BYTES = 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def is_model_name(name: str) -> bool:
    return _NAME.fullmatch(name) is not None and name not in RESERVED_NAMES


@dataclass(frozen=True)
class VersionFolder:
    """One version on disk. state: differs if the model's files were replaced, document_state if model.json was; so a
    broken one is tried again, and a model is not loaded again for its description."""

    name: str
    version: int
    path: Path
    retired: bool
    state: tuple[object, ...]
    document_state: tuple[object, ...]

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"

    def check_whole(self, others: Iterable[VersionFolder]) -> None:
        """Raises UnusableModel where it has no model.json, but an older version of the model has. It may be half
        copied; and functions that were told quantiles could not name what this one answers. And where a file is not the
        one that model.json tells of: LiteRT has been seen to kill its process over a file with a hole in it."""
        if self.document_state:
            self._check_files()
            return
        for other in others:
            if other.name == self.name and other.version < self.version and other.document_state:
                raise UnusableModel(
                    f"{self.path} has no {DOCUMENT_FILE}, but {other} has: it is not whole"
                    " (or a model of another kind, then write {} into one)"
                )

    def _check_files(self) -> None:
        hashes = self.details().get(HASHES)
        if not isinstance(hashes, dict):
            return
        for name in HASHED_FILES:
            path, told = self.path / name, hashes.get(name)
            try:
                is_told = told is None or not path.is_file() or _sha256(path) == told
            except OSError as error:
                raise UnusableModel(f"{path} cannot be read: {error}") from None
            if not is_told:
                raise UnusableModel(
                    f"{path} is not the file that {DOCUMENT_FILE} tells of: it is damaged or half copied"
                    f" (or another on purpose, then take {HASHES} out)"
                )

    def document(self) -> str:
        """The text of model.json, "" if there is none. Raises UnusableModel if it cannot be read."""
        path = self.path / DOCUMENT_FILE
        try:
            with path.open("rb") as file:
                content = file.read(MAX_DOCUMENT_BYTES + 1)
            if len(content) > MAX_DOCUMENT_BYTES:
                raise UnusableModel(f"{path} is longer than {MAX_DOCUMENT_BYTES} bytes")
            return content.decode()
        except FileNotFoundError:
            return ""
        except (OSError, UnicodeDecodeError) as error:
            raise UnusableModel(f"{path} cannot be read: {error}") from None

    def details(self) -> dict[str, Any]:
        """model.json, {} if there is none. Raises UnusableModel if it is no JSON object."""
        text = self.document()
        if not text:
            return {}
        try:
            details = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UnusableModel(f"{self.path / DOCUMENT_FILE} is not JSON: {error}") from None
        if not isinstance(details, dict):
            raise UnusableModel(f"{self.path / DOCUMENT_FILE} is no JSON object")
        return details

    def retire(self) -> None:
        """Take it out of service; a running model service sees it within a second. Raises OSError."""
        (self.path / RETIRED_FILE).touch()

    def restore(self) -> None:
        """Put it back into service. Raises OSError."""
        (self.path / RETIRED_FILE).unlink(missing_ok=True)


def scan(root: Path) -> list[VersionFolder]:
    """All versions under `root`, by name, newest first; other names are passed over. Raises OSError."""
    models = [model for model in root.iterdir() if is_model_name(model.name) and model.is_dir()]
    found = [
        _version_folder(model.name, folder)
        for model in models
        for folder in model.iterdir()
        if _VERSION.fullmatch(folder.name) and folder.is_dir()
    ]
    return sorted(found, key=lambda each: (each.name, -each.version))


def hashes_of(folder: Path) -> dict[str, str]:
    """What model.json tells of the model's files that are there. Raises OSError."""
    return {name: _sha256(folder / name) for name in HASHED_FILES if (folder / name).is_file()}


def has_hash(details: Mapping[str, Any]) -> bool:
    """Whether model.json tells the hash of its .tflite file, so that a damaged one is known before it is opened."""
    hashes = details.get(HASHES)
    return isinstance(hashes, dict) and TFLITE_FILE in hashes


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version_folder(name: str, path: Path) -> VersionFolder:
    variables = path / "variables"
    files = (
        path,
        *(path / file for file in (TFLITE_FILE, SAVED_MODEL_FILE)),
        *(sorted(variables.iterdir()) if variables.is_dir() else ()),  # perhaps not yet copied whole
    )
    return VersionFolder(
        name,
        int(path.name),
        path,
        (path / RETIRED_FILE).exists(),
        tuple(_state(file) for file in files),
        _state(path / DOCUMENT_FILE),
    )


def _state(path: Path) -> tuple[int, ...]:
    """A folder by its identity alone: the file `retired` comes and goes in it."""
    try:
        stat = path.stat()
    except OSError:
        return ()
    return (stat.st_ino,) if path.is_dir() else (stat.st_ino, stat.st_size, stat.st_mtime_ns)
