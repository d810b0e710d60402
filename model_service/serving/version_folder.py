"""The folders of versions, DIR/<name>/<version>/, as `fncast train` writes them.

A version is written to a temporary folder and then renamed, so a version folder is always complete. A file named
`retired` in it takes the version out of service; removing the file puts it back (`fncast models`).
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import SAVED_MODEL_FILE, SIZED_FILES, TFLITE_FILE

DOCUMENT_FILE = "model.json"
RETIRED_FILE = "retired"
# The member of model.json with the hashes of the files of the model, by file name.
HASHES = "files_sha256"
HASHED_FILES = ("model*.tflite", SAVED_MODEL_FILE)  # patterns
# Names that would collide with other paths of the server.
RESERVED_NAMES = frozenset({"v2", "control", "metrics", "healthz", "readyz"})
MAX_DOCUMENT_BYTES = 1 << 20
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}", re.ASCII)
NAME_RULE = (
    "use lower-case letters, digits, _ and -, a letter first, at most 63 characters, and none of "
    + ", ".join(sorted(RESERVED_NAMES))
)
_VERSION = re.compile(r"[1-9][0-9]{0,17}", re.ASCII)


def is_model_name(name: str) -> bool:
    """Whether a model may have this name; see NAME_RULE."""
    return _NAME.fullmatch(name) is not None and name not in RESERVED_NAMES


def is_version_number(name: str) -> bool:
    """Whether a folder of this name is a version: a number from 1 on, without leading zeros, at most 18 digits."""
    return _VERSION.fullmatch(name) is not None


@dataclass(frozen=True)
class VersionFolder:
    """One version on disk.

    state: changes when the files of the model are replaced. document_state: changes when model.json is replaced.
    A changed folder compares unequal, so a broken version is tried again.
    """

    name: str
    version: int
    path: Path
    is_retired: bool
    state: tuple[object, ...]
    document_state: tuple[object, ...]

    def __str__(self) -> str:
        return f"{self.name}/{self.version}"

    def check_whole(self, others: Iterable[VersionFolder]) -> None:
        """Check that the version is complete. others: the other versions on disk.

        Raises UnusableModel if it has no model.json but an older version has one: it may be partly copied, and
        functions would not know its quantiles. Raises UnusableModel if the hash of a file is not the one in model.json:
        a damaged file can crash the process that opens it. Raises UnusableModel if the file of a window size is
        missing: the other sizes would forecast its windows.
        """
        if self.document_state:
            self._check_files()
            return
        self.document()  # an error if it exists and may not be read
        for other in others:
            if other.name == self.name and other.version < self.version and other.document_state:
                raise UnusableModel(
                    f"{self.path} has no {DOCUMENT_FILE}, but {other} has: it is not complete"
                    " (if it is a model of another kind, write {} into that file)"
                )

    def _check_files(self) -> None:
        hashes = self.details().get(HASHES)
        if not isinstance(hashes, dict):
            return
        for name in fnmatch.filter(hashes, SIZED_FILES):
            if not (self.path / name).is_file():
                raise UnusableModel(
                    f"{self.path / name} is missing, but {DOCUMENT_FILE} names it: the version is partly copied"
                )
        for path in _hashed_files(self.path):
            expected = hashes.get(path.name)
            try:
                matches = expected is None or _sha256(path) == expected
            except OSError as error:
                raise UnusableModel(f"{path} cannot be read: {error}") from None
            if not matches:
                raise UnusableModel(
                    f"{path} does not match its hash in {DOCUMENT_FILE}: it is damaged or partly copied"
                    f" (if it was replaced on purpose, remove {HASHES} from {DOCUMENT_FILE})"
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
        """The content of model.json, {} if there is none. Raises UnusableModel if it is not a JSON object."""
        text = self.document()
        if not text:
            return {}
        try:
            details = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise UnusableModel(f"{self.path / DOCUMENT_FILE} is not JSON: {error}") from None
        if not isinstance(details, dict):
            raise UnusableModel(f"{self.path / DOCUMENT_FILE} is not a JSON object")
        return details

    def retire(self) -> None:
        """Take the version out of service; a running model service notices within a second. Raises OSError."""
        (self.path / RETIRED_FILE).touch()

    def restore(self) -> None:
        """Put the version back into service. Raises OSError."""
        (self.path / RETIRED_FILE).unlink(missing_ok=True)


def scan(root: Path, unreadable: dict[Path, str] | None = None) -> list[VersionFolder]:
    """All versions under `root`, sorted by name, newest first. Other entries are ignored.

    unreadable: collects the folders of models that cannot be read, with the reason; without it, this is an error.
    Raises OSError.
    """
    found: list[VersionFolder] = []
    for model in [model for model in root.iterdir() if is_model_name(model.name) and model.is_dir()]:
        try:
            found += [
                _version_folder(model.name, folder)
                for folder in model.iterdir()
                if is_version_number(folder.name) and folder.is_dir()
            ]
        except OSError as error:
            if unreadable is None:
                raise
            unreadable[model] = str(error)
    return sorted(found, key=lambda each: (each.name, -each.version))


def hashes_of(folder: Path) -> dict[str, str]:
    """The hashes of the files of a model, by file name, for model.json. Raises OSError."""
    return {path.name: _sha256(path) for path in _hashed_files(folder)}


def _hashed_files(folder: Path) -> list[Path]:
    return sorted(path for pattern in HASHED_FILES for path in folder.glob(pattern) if path.is_file())


def has_hash(details: Mapping[str, Any]) -> bool:
    """Whether model.json has the hash of a .tflite file, so that a damaged file is detected before it is opened."""
    hashes = details.get(HASHES)
    return isinstance(hashes, dict) and any(str(name).endswith(".tflite") for name in hashes)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _version_folder(name: str, path: Path) -> VersionFolder:
    """Raises nothing: a version that may not be read is rejected later, and the others are served."""
    files = (
        path,
        *(path / file for file in (TFLITE_FILE, SAVED_MODEL_FILE)),
        *sorted(path.glob(SIZED_FILES)),
        *_entries(path / "variables"),
    )
    return VersionFolder(
        name,
        int(path.name),
        path,
        os.path.exists(path / RETIRED_FILE),  # unlike Path.exists, False in a folder that may not be read
        tuple(_state(file) for file in files),
        _state(path / DOCUMENT_FILE),
    )


def _entries(folder: Path) -> list[Path]:
    """The entries of a folder, in order; none if it is absent, may not be read, or is still being copied."""
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _state(path: Path) -> tuple[int, ...]:
    """Identifies the content of a file, and whether it may be read, so that a version is tried again after a chmod.

    A folder is identified by its inode, not by its time: adding `retired` must not change it.
    """
    try:
        stat = path.stat()
    except OSError:
        return ()
    content = () if path.is_dir() else (stat.st_size, stat.st_mtime_ns)
    return (stat.st_ino, os.access(path, os.R_OK), *content)
