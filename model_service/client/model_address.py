"""Addresses of the Open Inference Protocol, which has no model that goes without a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from model_service.protocols import graphpipe
from model_service.protocols.graphpipe import IOMetadata, MetadataResponse
from model_service.protocols.open_inference.tensor import DTYPES

# What an address without a path means; what `fncast train` writes without --name.
DEFAULT_MODEL = "forecast"
_PATH = re.compile(r"/(?:v2/models/)?([^/]+)(?:/(?:versions/)?([^/]+))?/?")


@dataclass(frozen=True)
class ModelAddress:
    """version: empty for the one that the server chooses."""

    name: str
    version: str

    @classmethod
    def of(cls, url: str, path: str) -> ModelAddress:
        """The model that the path of a URL names: none, /NAME, /NAME/VERSION, or the same as the protocol writes it.
        Raises ValueError."""
        if path in ("", "/"):
            return cls(DEFAULT_MODEL, "")
        found = _PATH.fullmatch(path)
        if found is None:
            raise ValueError(
                f"the path of {url!r} names no model; expected /NAME, /NAME/VERSION or /v2/models/NAME"
            )
        return cls(found[1], found[2] or "")


def metadata(
    name: str, inputs: list[tuple[str, str, tuple[int, ...]]], parameters: dict[str, Any]
) -> MetadataResponse:
    """What a server of this protocol tells, in GraphPipe's terms. inputs: name, datatype, shape of each."""
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
    except (KeyError, graphpipe.InvalidMessage):  # one that GraphPipe does not have
        return graphpipe.Type.Null
