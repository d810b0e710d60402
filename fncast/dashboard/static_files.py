"""The files of the page, read once."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable

CONTENT_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
}
PLAIN = "text/plain; charset=utf-8"  # the licence of what is vendored


@dataclass(frozen=True, slots=True)
class StaticFile:
    body: bytes
    content_type: str
    etag: str


def static_files() -> dict[str, StaticFile]:
    """Every file below `static`, by its path there, such as `vendor/uplot/LICENSE`."""
    return dict(_walk(files("fncast.dashboard") / "static", ""))


def _walk(folder: Traversable, path: str) -> list[tuple[str, StaticFile]]:
    found: list[tuple[str, StaticFile]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found.extend(_walk(entry, f"{path}{entry.name}/"))
        else:
            body = entry.read_bytes()
            ending = entry.name[entry.name.rfind(".") :] if "." in entry.name else ""
            etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
            found.append((path + entry.name, StaticFile(body, CONTENT_TYPES.get(ending, PLAIN), etag)))
    return found
