"""Addresses of models in the Open Inference Protocol, in which every model has a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

# The model of an address without a path. The default of `fncast train --name`.
DEFAULT_MODEL = "forecast"
_PATH = re.compile(r"/(?:v2/models/|(?!v2/models/?$))([^/]+)(?:/(?:versions/)?([^/]+))?/?")


@dataclass(frozen=True)
class ModelAddress:
    """A model on a server. version: empty if the server chooses."""

    name: str
    version: str

    @classmethod
    def of(cls, url: str, path: str) -> ModelAddress:
        """Parse the path of a URL: empty, /NAME, /NAME/VERSION, or /v2/models/NAME with or without /versions/VERSION.

        Raises ValueError.
        """
        if path in ("", "/"):
            return cls(DEFAULT_MODEL, "")
        found = _PATH.fullmatch(path)
        if found is None:
            raise ValueError(
                f"the path of {url!r} does not name a model; expected /NAME, /NAME/VERSION or /v2/models/NAME"
            )
        return cls(found[1], found[2] or "")
