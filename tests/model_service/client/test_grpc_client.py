"""The gRPC client against servers of others: what their codes mean, and answers that are not of the protocol."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import numpy as np
import pytest

from model_service.client.grpc_client import GrpcClient
from model_service.client.interface import InvalidShape, ModelError, ModelUnavailable
from model_service.protocols.open_inference import messages_pb2 as messages
from tests.model_service.client.fake_server import FORECAST, WINDOWS

Handle = Callable[[bytes, grpc.ServicerContext], bytes]


class FakeGrpcServer(grpc.GenericRpcHandler):
    """Answers with `infer` and `metadata`, which get and return bytes."""

    def __init__(self) -> None:
        self.infer: Handle = lambda data, context: forecast()
        self.metadata: Handle = lambda data, context: described("windows")
        self.requests: list[bytes] = []
        self.tokens: list[object] = []

    def service(self, details: grpc.HandlerCallDetails) -> grpc.RpcMethodHandler:
        self.tokens.append(dict(details.invocation_metadata).get("authorization"))
        handle = self.infer if details.method.endswith("/ModelInfer") else self.metadata

        def call(data: bytes, context: grpc.ServicerContext) -> bytes:
            self.requests.append(data)
            return handle(data, context)

        return grpc.unary_unary_rpc_method_handler(call)


def described(*inputs: str) -> bytes:
    response = messages.ModelMetadataResponse(name="forecast")
    for name in inputs:
        response.inputs.add(name=name, datatype="FP32", shape=[-1, 3])
    return response.SerializeToString()


def forecast(raw: bytes = FORECAST.tobytes()) -> bytes:
    response = messages.ModelInferResponse(raw_output_contents=[raw])
    response.outputs.add(name="forecast", datatype="FP32", shape=FORECAST.shape)
    return response.SerializeToString()


def abort(code: grpc.StatusCode, text: str) -> Handle:
    def handle(data: bytes, context: grpc.ServicerContext) -> bytes:
        context.abort(code, text)

    return handle


@pytest.fixture
def fake() -> FakeGrpcServer:
    return FakeGrpcServer()


@pytest.fixture
def address(fake: FakeGrpcServer) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(2), handlers=[fake])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"grpc://127.0.0.1:{port}"
    server.stop(None)


@pytest.fixture
def client(address: str) -> Iterator[GrpcClient]:
    client = GrpcClient(address + "/weather/7", timeout_s=20, token="secret")
    yield client
    client.close()


def test_the_request_names_model_version_and_input_and_has_the_token(
    fake: FakeGrpcServer, client: GrpcClient
) -> None:
    np.testing.assert_array_equal(client.infer(WINDOWS).outputs, FORECAST)
    request = messages.ModelInferRequest.FromString(fake.requests[-1])
    assert (request.model_name, request.model_version) == ("weather", "7")
    assert request.inputs[0].name == "windows"
    assert list(request.raw_input_contents) == [WINDOWS.tobytes()]
    assert set(fake.tokens) == {"Bearer secret"}


@pytest.mark.parametrize(
    ("code", "text", "kind"),
    [
        (grpc.StatusCode.INVALID_ARGUMENT, "unexpected shape [2, 3]", InvalidShape),
        (grpc.StatusCode.INVALID_ARGUMENT, "unknown output", ModelError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "received message larger than max", ModelError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "quota exceeded", ModelUnavailable),
        (grpc.StatusCode.NOT_FOUND, "no such model", ModelUnavailable),
        (grpc.StatusCode.UNAVAILABLE, "loading", ModelUnavailable),
        (grpc.StatusCode.INTERNAL, "kernel panic", ModelUnavailable),
    ],
)
def test_a_code_says_whether_a_retry_helps(
    fake: FakeGrpcServer, client: GrpcClient, code: grpc.StatusCode, text: str, kind: type[Exception]
) -> None:
    fake.infer = abort(code, text)
    with pytest.raises(kind) as raised:
        client.infer(WINDOWS)
    assert type(raised.value) is kind
    assert text in str(raised.value)


def test_the_text_of_an_error_is_one_clean_line(fake: FakeGrpcServer, client: GrpcClient) -> None:
    fake.infer = abort(grpc.StatusCode.INTERNAL, "a\n2026-01-01 INFO forged\x1b[2J")
    with pytest.raises(ModelUnavailable, match="answered INTERNAL: a 2026-01-01 INFO forged") as raised:
        client.infer(WINDOWS)
    assert str(raised.value).isprintable()


def test_a_message_of_another_kind_is_described(fake: FakeGrpcServer, client: GrpcClient) -> None:
    fake.infer = lambda data, context: b"\xff junk"
    with pytest.raises(ModelUnavailable, match="did not return a message of this protocol"):
        client.infer(WINDOWS)
    fake.infer = lambda data, context: forecast(b"short")
    with pytest.raises(ModelUnavailable, match=r"did not return an inference response: .*needs 48 bytes"):
        client.infer(WINDOWS)


def test_metadata_without_an_input_are_described(fake: FakeGrpcServer, client: GrpcClient) -> None:
    fake.metadata = lambda data, context: described()
    with pytest.raises(ModelUnavailable, match="returned metadata without an input"):
        client.metadata()


def test_a_server_that_does_not_answer_in_time_is_named(fake: FakeGrpcServer, address: str) -> None:
    client = GrpcClient(address, timeout_s=20)
    client.infer(WINDOWS)
    client.close()
    hurried = GrpcClient(address, timeout_s=0.001)
    ended = threading.Event()

    def answer_late(data: bytes, context: grpc.ServicerContext) -> bytes:
        ended.wait(10)
        return described("windows")

    fake.metadata = answer_late
    with pytest.raises(ModelUnavailable, match=r"did not answer within 0\.001 s"):
        hurried.infer(WINDOWS)
    ended.set()
    hurried.close()
