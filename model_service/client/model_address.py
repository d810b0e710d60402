"""Addresses of models in the Open Inference Protocol, in which every model has a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from model_service.protocols import graphpipe
from model_service.protocols.graphpipe import IOMetadata, MetadataResponse
from model_service.protocols.open_inference.tensor import DTYPES

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


def metadata(
    name: str, inputs: list[tuple[str, str, tuple[int, ...]]], parameters: dict[str, Any]
) -> MetadataResponse:
    """The metadata of a server of this protocol as a GraphPipe message. inputs: name, datatype and shape of each."""
    return MetadataResponse(
        name=name,
        version=str(parameters.get("model_version", "")),
        description=str(parameters.get("model_json", "")),
        inputs=tuple(
            IOMetadata(input_name, _type(datatype), shape) for input_name, datatype, shape in inputs
        ),
    )


def _type(datatype: str) -> graphpipe.Type:
    try:
        return graphpipe.type_of(DTYPES[datatype])
    except (KeyError, graphpipe.InvalidMessage):  # a type that GraphPipe lacks
        return graphpipe.Type.Null
