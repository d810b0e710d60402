"""Metadata of servers of the Open Inference Protocol."""

from __future__ import annotations

from model_service.client.metadata_message import to_metadata
from model_service.protocols.graphpipe import Type


def test_metadata_of_any_server_become_a_graphpipe_message() -> None:
    inputs = [("windows", "FP32", (-1, 6)), ("flag", "BOOL", (1,)), ("odd", "FP8", ())]
    found = to_metadata("forecast", inputs, {"model_version": 3, "model_json": '{"window": 6}'})
    assert (found.name, found.version, found.description) == ("forecast", "3", '{"window": 6}')
    assert [(each.name, each.type, each.shape) for each in found.inputs] == [
        ("windows", Type.Float32, (-1, 6)),
        ("flag", Type.Null, (1,)),  # GraphPipe lacks this type
        ("odd", Type.Null, ()),
    ]


def test_a_server_without_parameters_has_no_version() -> None:
    found = to_metadata("forecast", [], {})
    assert (found.version, found.description) == ("", "")
