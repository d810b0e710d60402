"""Metadata of the server and its models, common to REST and gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_service.protocols.open_inference.tensor import datatype_of
from model_service.serving.model import Model
from model_service.serving.repository import Models
from model_service.serving.runtimes.runtime import TensorSpec

SERVER = "fncast"
# Name of the Triton extension for raw tensors after the JSON of a REST body.
EXTENSIONS = ("binary_tensor_data",)
# Accepted in place of a version number; means the version in service. The Triton provider of Flink sends it by default.
LATEST = "latest"


def path_of(name: str, version: str) -> str:
    """The key of a model in `Models.paths`. version: a number, or empty or `latest` for the version in service."""
    return f"/{name}/{version}" if version and version != LATEST else f"/{name}"


def versions(models: Models, model: Model) -> list[str]:
    """All served versions of the same model, newest first."""
    found = {each.version for each in models.paths.values() if each.name == model.name}
    return [str(version) for version in sorted(found, reverse=True)]


def tensors(specs: Sequence[TensorSpec]) -> list[dict[str, Any]]:
    """Name, datatype and shape of each input or output."""
    return [
        {"name": spec.name, "datatype": datatype_of(spec.dtype), "shape": list(spec.shape or ())}
        for spec in specs
    ]


def input_summary(model: Model) -> str:
    """The inputs with their types and shapes, for error messages."""
    return ", ".join(
        f"{spec.name} {datatype_of(spec.dtype)} {'any' if spec.shape is None else list(spec.shape)}"
        for spec in model.runtime.inputs
    )


def parameters(model: Model) -> dict[str, str]:
    """Metadata that the protocol has no field for: the version, and the text of model.json."""
    return {"model_version": str(model.version), "model_json": model.metadata.description}
