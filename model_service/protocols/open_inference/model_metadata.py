"""The server and its models as both REST and gRPC describe them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from model_service.protocols.open_inference.tensor import datatype_of
from model_service.serving.model import Model
from model_service.serving.repository import Models
from model_service.serving.runtimes.runtime import TensorSpec

SERVER = "fncast"
# The extension that Triton calls so: raw tensors behind the JSON of a REST body.
EXTENSIONS = ("binary_tensor_data",)
# Stands for the version in service wherever a version is asked for. Flink's Triton provider asks for it by default.
LATEST = "latest"


def path_of(name: str, version: str) -> str:
    """Where `Models.paths` has a model. version: empty or `latest` for the one in service under the name alone."""
    return f"/{name}/{version}" if version and version != LATEST else f"/{name}"


def versions(models: Models, model: Model) -> list[str]:
    """All versions of the same name that can be asked for, newest first."""
    found = {each.version for each in models.paths.values() if each.name == model.name}
    return [str(version) for version in sorted(found, reverse=True)]


def tensors(specs: Sequence[TensorSpec]) -> list[dict[str, Any]]:
    return [
        {"name": spec.name, "datatype": datatype_of(spec.dtype), "shape": list(spec.shape or ())}
        for spec in specs
    ]


def takes(model: Model) -> str:
    """The inputs with their types and shapes, for an error's text."""
    return ", ".join(
        f"{spec.name} {datatype_of(spec.dtype)} {'any' if spec.shape is None else list(spec.shape)}"
        for spec in model.runtime.inputs
    )


def parameters(model: Model) -> dict[str, str]:
    """What the protocol has no field for: the version described, and the text of model.json."""
    return {"model_version": str(model.version), "model_json": model.metadata.description}
