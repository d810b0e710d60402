"""The GraphPipe client against an HTTP server whose responses each test sets."""

from __future__ import annotations

import numpy as np
import pytest

from model_service.client import GraphPipeClient, InvalidShape, ModelError, ModelUnavailable
from model_service.protocols import graphpipe
from tests.model_service.client.fake_server import (
    FORECAST,
    WINDOWS,
    FakeServer,
    Reply,
    infer_answer,
    rejection,
)


def test_infer_sends_one_tensor_and_reads_the_model_from_the_headers(
    server: FakeServer, client: GraphPipeClient
) -> None:
    requests = []

    def reply(body: bytes) -> Reply:
        requests.append(graphpipe.decode_request(body))
        return 200, {"Model-Name": "forecast", "Model-Version": "7"}, infer_answer()

    server.reply = reply
    answer = client.infer(WINDOWS)
    np.testing.assert_array_equal(requests[0].input_tensors[0], WINDOWS)
    np.testing.assert_array_equal(answer.outputs, FORECAST)
    assert (answer.model_name, answer.model_version) == ("forecast", "7")
    assert server.paths == ["/forecast"]


def test_a_foreign_server_may_send_no_version_and_only_the_median(
    server: FakeServer, client: GraphPipeClient
) -> None:
    server.reply = lambda body: (200, {}, infer_answer(FORECAST[:, :, 1].astype(np.float64)))
    answer = client.infer(WINDOWS)
    assert answer.outputs.shape == (2, 2)
    assert (answer.model_name, answer.model_version) == (None, None)


def test_metadata_are_those_of_the_server(server: FakeServer, client: GraphPipeClient) -> None:
    expected = graphpipe.MetadataResponse(
        "forecast",
        "3",
        "x",
        '{"window": 3}',
        (graphpipe.IOMetadata("windows", graphpipe.Type.Float32, (-1, 3)),),
        (graphpipe.IOMetadata("forecast", graphpipe.Type.Float32, (-1, 2, 3)),),
    )
    server.reply = lambda body: (200, {}, graphpipe.encode_metadata_response(expected))
    assert client.metadata() == expected


@pytest.mark.parametrize("status", [200, 400, 500])
def test_the_reason_from_a_server_is_one_clean_line(
    server: FakeServer, client: GraphPipeClient, status: int
) -> None:
    """The function logs the reason, and the consumer writes it into a dead letter."""
    forged = "\x1b[2Jshape\r\n2026-01-01 INFO forged\u202e line" + "x" * 5000
    server.reply = lambda body: (status, {}, rejection(400, forged))
    with pytest.raises((ModelError, ModelUnavailable)) as raised:
        client.infer(WINDOWS)
    assert str(raised.value).isprintable()
    assert len(str(raised.value)) < 1000
    assert "2026-01-01 INFO forged" in str(raised.value)


@pytest.mark.parametrize("status", [200, 400])
def test_errors_in_a_response_with_any_status(
    server: FakeServer, client: GraphPipeClient, status: int
) -> None:
    server.reply = lambda body: (status, {}, rejection(400, "no such output: 'x'"))
    with pytest.raises(ModelError, match="no such output: 'x'") as raised:
        client.infer(WINDOWS)
    assert not isinstance(raised.value, InvalidShape)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(rejection(graphpipe.DOES_NOT_FIT, "windows are [2, 3], not [-1, 48]"), id="ours"),
        pytest.param(b"Could not create tensor: wrong Shape [2 3]", id="plain text of a foreign server"),
    ],
)
def test_a_shape_that_does_not_fit_is_an_invalid_shape(
    server: FakeServer, client: GraphPipeClient, body: bytes
) -> None:
    server.reply = lambda _: (400, {}, body)
    with pytest.raises(InvalidShape):
        client.infer(WINDOWS)


@pytest.mark.parametrize("status", [404, 500, 502, 503])
def test_a_temporary_status_is_unavailable_until_retry_after(
    server: FakeServer, client: GraphPipeClient, status: int
) -> None:
    server.reply = lambda body: (status, {"Retry-After": "2.5"}, b"busy\nnow")
    with pytest.raises(ModelUnavailable, match=f"answered {status}: busy now") as raised:
        client.infer(WINDOWS)
    assert raised.value.retry_after_s == 2.5


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "did not return a GraphPipe message"),
        (b"<html>welcome to the proxy</html>", "did not return a GraphPipe message"),
        (infer_answer(FORECAST[:1]), "for 2 windows"),
        (infer_answer(np.zeros(2, np.float32)), "for 2 windows"),
        (infer_answer(FORECAST.astype(np.int64)), "for 2 windows"),
        (graphpipe.encode_infer_response(graphpipe.InferResponse()), "no tensor"),
    ],
)
def test_garbage_is_not_a_response(
    server: FakeServer, client: GraphPipeClient, body: bytes, reason: str
) -> None:
    server.reply = lambda _: (200, {}, body)
    with pytest.raises(ModelUnavailable, match=reason):
        client.infer(WINDOWS)
