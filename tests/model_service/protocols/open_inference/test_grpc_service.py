"""The methods of gRPC, called by the public client tritonclient, and by a plain channel for details that it hides."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import grpc
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, service_pb2
from tritonclient.grpc.service_pb2_grpc import GRPCInferenceServiceStub
from tritonclient.utils import InferenceServerException

from model_service.protocols.open_inference import grpc_service, grpc_tensors, messages_pb2
from model_service.protocols.open_inference.grpc_size import check_size
from model_service.serving import request_body
from model_service.serving.request_queue import Overloaded
from tests.model_service.protocols.open_inference.grpc_calls import (
    FORECAST,
    NUMBERS,
    RAW,
    TEXTS,
    WINDOWS,
    typed,
)


@pytest.fixture
def client(grpc_address: str) -> Iterator[InferenceServerClient]:
    client = InferenceServerClient(grpc_address)
    yield client
    client.close()


def tensor(name: str, array: np.ndarray, datatype: str) -> InferInput:
    created = InferInput(name, list(array.shape), datatype)
    created.set_data_from_numpy(array)
    return created


def test_compressed_messages_are_rejected(grpc_address: str) -> None:
    """The size limit applies before decompression: a megabyte may become a thousand."""
    with grpc.insecure_channel(grpc_address, compression=grpc.Compression.Gzip) as channel:
        with pytest.raises(grpc.RpcError) as raised:
            GRPCInferenceServiceStub(channel).ModelMetadata(
                service_pb2.ModelMetadataRequest(name="forecast" * 1000)
            )
        assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_server_and_models_say_whether_they_are_ready(client: InferenceServerClient, shelf: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("forecast")
    assert client.is_model_ready("forecast", "1")
    assert not client.is_model_ready("forecast", "9")
    shelf.paths = {}
    assert client.is_server_live()
    assert not client.is_server_ready()


def test_the_health_service_says_whether_a_model_is_in_service(channel: grpc.Channel, shelf: Any) -> None:
    check = channel.unary_unary("/grpc.health.v1.Health/Check")
    assert check(b"") == b"\x08\x01"  # status: SERVING
    assert check(b"\n\x1einference.GRPCInferenceService") == b"\x08\x01"
    with pytest.raises(grpc.RpcError) as raised:
        check(b"\n\x05other")
    assert raised.value.code() == grpc.StatusCode.NOT_FOUND
    shelf.paths = {}
    assert check(b"") == b"\x08\x02"


def test_metadata_describe_inputs_and_versions(client: InferenceServerClient) -> None:
    assert client.get_server_metadata().name == "fncast"
    model = client.get_model_metadata("forecast", "1")
    assert (model.name, list(model.versions)) == ("forecast", ["2", "1"])
    (read,) = model.inputs
    assert (read.name, read.datatype, list(read.shape)) == ("windows", "FP32", [-1, 6])
    assert list(model.outputs[0].shape) == [-1, 2, 3]
    with pytest.raises(InferenceServerException, match="no model at '/weather'") as raised:
        client.get_model_metadata("weather")
    assert raised.value.status() == "StatusCode.NOT_FOUND"


def test_metadata_contain_the_version_and_model_json(channel: grpc.Channel) -> None:
    request = messages_pb2.ModelMetadataRequest(name="forecast")
    answer = channel.unary_unary("/inference.GRPCInferenceService/ModelMetadata")(request.SerializeToString())
    parameters = messages_pb2.ModelMetadataResponse.FromString(answer).parameters
    assert parameters["model_version"].string_param == "2"
    assert json.loads(parameters["model_json"].string_param)["window"] == 6


def test_an_inference_names_its_model_version_and_id(client: InferenceServerClient) -> None:
    result = client.infer("forecast", [tensor("windows", WINDOWS, "FP32")], request_id="a 7")
    np.testing.assert_allclose(result.as_numpy("forecast"), FORECAST)
    answer = result.get_response()
    assert (answer.model_name, answer.model_version, answer.id) == ("forecast", "2", "a 7")
    assert len(answer.raw_output_contents) == 1
    old = client.infer("forecast", [tensor("windows", WINDOWS, "FP32")], model_version="1")
    np.testing.assert_allclose(old.as_numpy("forecast"), FORECAST + 100)


def test_strings_and_integers_are_scored_and_outputs_can_be_chosen(client: InferenceServerClient) -> None:
    inputs = [tensor("texts", TEXTS, "BYTES"), tensor("numbers", NUMBERS, "INT32")]
    every = client.infer("words", inputs)
    assert every.as_numpy("doubled").tolist() == [2, -4, 6]
    outputs = [InferRequestedOutput("texts"), InferRequestedOutput("lengths")]
    some = client.infer("words", inputs, outputs=outputs)
    assert [output.name for output in some.get_response().outputs] == ["texts", "lengths"]
    assert some.as_numpy("texts").tolist() == TEXTS.tolist()
    assert some.as_numpy("lengths").tolist() == [3, 0, 6]


def test_each_error_has_its_status_code(
    stub: Any, channel: grpc.Channel, shelf: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    request = service_pb2.ModelInferRequest(
        model_name="forecast", inputs=[RAW], raw_input_contents=[WINDOWS.tobytes()]
    )

    def code(message: Any = request) -> str:
        with pytest.raises(grpc.RpcError) as raised:
            stub.ModelInfer(message)
        return raised.value.code().name

    classified = service_pb2.ModelInferRequest(model_name="forecast", inputs=[RAW])
    classified.outputs.add(name="forecast").parameters["classification"].int64_param = 3
    assert code(classified) == "INVALID_ARGUMENT"
    runtime = shelf.paths["/"].runtime
    for error, expected in ((RuntimeError("bug"), "INTERNAL"), (Overloaded("full"), "UNAVAILABLE")):

        def fail(_: Any, error: Exception = error) -> Any:
            raise error

        monkeypatch.setattr(runtime, "run", fail)
        assert code() == expected
    monkeypatch.undo()
    monkeypatch.setattr(request_body, "MAX_HELD_BYTES", 50)
    assert code() == "UNAVAILABLE"
    monkeypatch.undo()
    with pytest.raises(grpc.RpcError, match="not the protobuf message of this method"):
        channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(b"\xff junk")
    with pytest.raises(grpc.RpcError) as raised:
        channel.unary_unary("/inference.GRPCInferenceService/RepositoryIndex")(b"")
    assert raised.value.code() == grpc.StatusCode.UNIMPLEMENTED
    assert stub.ModelInfer(request).model_version == "2"  # all that was held was given back
    shelf.paths = {}
    assert code() == "UNAVAILABLE"


@pytest.mark.parametrize("name", ["", "forecast/1", "/"])
def test_names_that_rest_cannot_request_are_rejected(client: InferenceServerClient, name: str) -> None:
    assert not client.is_model_ready(name)
    for call in (
        lambda: client.get_model_metadata(name),
        lambda: client.infer(name, [tensor("windows", WINDOWS, "FP32")]),
    ):
        with pytest.raises(InferenceServerException, match=f"'{name}' is not a model name") as raised:
            call()
        assert raised.value.status() == "StatusCode.NOT_FOUND"


def test_the_reason_fits_into_a_header(stub: Any) -> None:
    named = typed("é" * 20_000, "FP32", [1, 6], fp32_contents=[1] * 6)
    with pytest.raises(grpc.RpcError, match=r"has no input 'é{100}") as raised:
        stub.ModelInfer(service_pb2.ModelInferRequest(model_name="forecast", inputs=[named]))
    assert raised.value.code().name == "INVALID_ARGUMENT"


@pytest.mark.parametrize("member", ["inputs", "outputs"])
def test_too_many_tensors_are_rejected_before_any_is_read(channel: grpc.Channel, member: str) -> None:
    """Each tensor has two bytes. Reading millions of them would take gigabytes and block the server."""
    number = messages_pb2.ModelInferRequest.DESCRIPTOR.fields_by_name[member].number
    name = messages_pb2.ModelInferRequest(model_name="forecast").SerializeToString()
    began_s = time.process_time()  # the server runs in this process
    with pytest.raises(grpc.RpcError, match=f"1000000 {member}; at most 256 are accepted"):
        channel.unary_unary("/inference.GRPCInferenceService/ModelInfer")(
            name + bytes([number << 3 | 2, 0]) * 1_000_000
        )
    assert time.process_time() - began_s < 1.5


def _varint(number: int) -> bytes:
    return (bytes([number & 0x7F | 0x80]) + _varint(number >> 7)) if number > 0x7F else bytes([number])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def test_large_raw_and_typed_contents_are_within_the_size_limits() -> None:
    request = messages_pb2.ModelInferRequest(model_name="forecast", raw_input_contents=[bytes(60 << 20)])
    check_size(request.SerializeToString(), is_inference=True)
    contents = messages_pb2.InferTensorContents(fp64_contents=np.ones(grpc_tensors.MAX_TYPED_VALUES))
    tensor_ = messages_pb2.ModelInferRequest.InferInputTensor(name="x", contents=contents)
    check_size(messages_pb2.ModelInferRequest(inputs=[tensor_]).SerializeToString(), is_inference=True)


def test_other_requests_are_limited_in_size(channel: grpc.Channel) -> None:
    with pytest.raises(grpc.RpcError, match="at most 65536 are accepted") as raised:
        channel.unary_unary("/inference.GRPCInferenceService/ModelReady")(_field(1, b"x" * 70_000))
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def test_a_bug_in_a_method_is_logged_and_reported(
    stub: Any, shelf: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shelf, "paths", None)
    with pytest.raises(grpc.RpcError) as raised:
        stub.ModelMetadata(service_pb2.ModelMetadataRequest(name="forecast"))
    assert raised.value.code() == grpc.StatusCode.INTERNAL
    assert "a gRPC call failed" in caplog.text


def test_typed_outputs_are_limited(stub: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grpc_service, "MAX_TYPED_VALUES", 11)
    windows = typed("windows", "FP32", [2, 6], fp32_contents=[1] * 12)
    with pytest.raises(
        grpc.RpcError, match="too large: the response has 12 typed values; at most 11"
    ) as raised:
        stub.ModelInfer(service_pb2.ModelInferRequest(model_name="forecast", inputs=[windows]))
    assert raised.value.code().name == "RESOURCE_EXHAUSTED"


def test_a_message_that_is_too_large_is_resource_exhausted(stub: Any) -> None:
    request = service_pb2.ModelInferRequest(
        model_name="forecast", inputs=[RAW], raw_input_contents=[bytes(request_body.MAX_BODY_BYTES)]
    )
    with pytest.raises(grpc.RpcError) as raised:
        stub.ModelInfer(request)
    assert raised.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
