"""Metadata in the terms of the Open Inference Protocol, as a GraphPipe message. All clients return that message."""

from __future__ import annotations

from typing import Any

from model_service.protocols import graphpipe
from model_service.protocols.graphpipe import IOMetadata, MetadataResponse
from model_service.protocols.open_inference.tensor import DTYPES


def to_metadata(
    name: str, inputs: list[tuple[str, str, tuple[int, ...]]], parameters: dict[str, Any]
) -> MetadataResponse:
    """The metadata of a model as a GraphPipe message.

    inputs: name, datatype and shape of each. parameters: version and text of model.json, from servers of fncast.
    """
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
