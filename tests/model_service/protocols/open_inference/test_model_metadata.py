"""Metadata of models, common to REST and gRPC."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from model_service.protocols.open_inference import model_metadata
from model_service.serving.runtimes.runtime import TensorSpec


@pytest.mark.parametrize(
    ("version", "path"), [("", "/forecast"), ("latest", "/forecast"), ("3", "/forecast/3")]
)
def test_a_version_is_a_number_or_the_one_in_service(version: str, path: str) -> None:
    assert model_metadata.path_of("forecast", version) == path


def test_the_versions_of_a_model_are_those_of_its_name_newest_first(shelf: Any) -> None:
    assert model_metadata.versions(shelf, shelf.paths["/forecast/1"]) == ["2", "1"]
    assert model_metadata.versions(shelf, shelf.paths["/words"]) == ["1"]


def test_versions_are_sorted_as_numbers(shelf: Any) -> None:
    shelf.paths["/forecast/10"] = shelf.paths["/forecast/1"]
    shelf.paths["/forecast/1"].version = 10
    assert model_metadata.versions(shelf, shelf.paths["/"]) == ["10", "2"]


def test_tensors_have_a_datatype_and_a_shape() -> None:
    specs = [TensorSpec("x", np.dtype("<f4"), (-1, 6)), TensorSpec("words", np.dtype(object), None)]
    assert model_metadata.tensors(specs) == [
        {"name": "x", "datatype": "FP32", "shape": [-1, 6]},
        {"name": "words", "datatype": "BYTES", "shape": []},
    ]


def test_the_inputs_are_summed_up_for_an_error(shelf: Any) -> None:
    assert model_metadata.input_summary(shelf.paths["/"]) == "windows FP32 [-1, 6]"
    assert model_metadata.input_summary(shelf.paths["/words"]) == "numbers INT32 [-1], texts BYTES [-1]"


def test_the_parameters_have_the_version_and_model_json(shelf: Any) -> None:
    parameters = model_metadata.parameters(shelf.paths["/forecast/1"])
    assert parameters["model_version"] == "1"
    assert json.loads(parameters["model_json"])["window"] == 6
