"""Random and mutated GraphPipe messages for the application, and for the decoders of clients."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import numpy as np
from fuzz_bytes import mutated
from fuzz_model_service import SLOW_S, InProcess, RealServer, Target, check_reason
from fuzz_report import Report, Until

from model_service.protocols import graphpipe

# The statuses of a rejected request; 500 would be a bug.
_REJECTIONS = (400, 413)
_PATHS = ("/", "/forecast/1", "/words")
_SERVER_SHARE = 0.01  # of inputs are sent through a socket to a real server
_ANSWER_SHARE = 0.2  # of inputs are answers for a client
_BUILT_SHARE = 0.1  # of requests are well-formed flatbuffers with tensors of any kind


def run(randomly: random.Random, until: Until) -> Report:
    """Check requests and answers, in bounded CPU time.

    A request gets status 200 with a row for each of its rows, or a rejection with a reason. A decoder accepts or
    rejects an answer.
    """
    return asyncio.run(_run(randomly, until))


async def _run(randomly: random.Random, until: Until) -> Report:
    report = Report()
    requests, answers = _requests(), _answers()
    async with InProcess() as in_process, RealServer() as server:
        while not until(report.count):
            share = randomly.random()
            target: Target | None = server if share < _SERVER_SHARE else in_process
            if share > 1 - _ANSWER_SHARE:
                target = None
            if target and randomly.random() < _BUILT_SHARE:
                body = _built(randomly)
            else:
                body = mutated(randomly, requests if target else answers)
            path = randomly.choice(_PATHS)
            started_s = time.process_time()
            try:
                outcome = await _post(target, path, body) if target else _read(body)
            except Exception as error:
                report.crashed(error, (path, body))
                continue
            seconds = time.process_time() - started_s
            if seconds > SLOW_S:
                report.fail(f"took {seconds:.1f} s of CPU", (path, body))
            else:
                report.passed(outcome)
    return report


async def _post(target: Target, path: str, body: bytes) -> str:
    """Send a request. Raises AssertionError if the answer is neither correct nor a rejection with a reason."""
    status, answer = await target.post(path, body)
    outcome = f"{target.name} {status}"
    if status != 200:
        assert status in _REJECTIONS, f"status {status}: {answer[:300]!r}"
        (error,) = graphpipe.decode_infer_response(answer).errors
        check_reason(error.message)
        return outcome
    request = graphpipe.decode_request(bytearray(body))  # with verification, which `bytes` would skip
    if isinstance(request, graphpipe.MetadataRequest):
        assert graphpipe.decode_metadata_response(answer).name
        return outcome
    response = graphpipe.decode_infer_response(answer)
    assert not response.errors
    assert len(response.output_tensors) == len(request.output_names or _OUTPUTS[path])
    if path != "/words":
        (windows,), (forecast,) = request.input_tensors, response.output_tensors[:1]
        np.testing.assert_array_equal(forecast, np.repeat(windows[:, -1], 6).reshape(-1, 2, 3))
    return outcome


_OUTPUTS = {"/": ("forecast",), "/forecast/1": ("forecast",), "/words": ("doubled", "texts")}


def _read(body: bytes) -> str:
    """Decode an answer as a client does. Any other error than InvalidMessage is a failure."""
    is_read = False
    for decode in (graphpipe.decode_infer_response, graphpipe.decode_metadata_response):
        try:
            decode(body)
            is_read = True
        except graphpipe.InvalidMessage as error:
            check_reason(str(error))
    return "answer read" if is_read else "answer rejected"


def _built(randomly: random.Random) -> bytes:
    """Return a request with random tensors and names, which may fit a model."""
    if randomly.random() < 0.3:  # it fits
        windows = np.frombuffer(randomly.randbytes(24 * randomly.randint(1, 9)), "<f4").reshape(-1, 6)
        names = ("windows",) if randomly.random() < 0.5 else ()
        return graphpipe.encode_request(graphpipe.InferRequest((windows,), names))
    tensors = [_tensor(randomly) for _ in range(randomly.choice((0, 1, 1, 1, 2, 2, 3)))]
    names = [randomly.choice(_NAMES) for _ in tensors] if randomly.random() < 0.4 else []
    outputs = [randomly.choice(_NAMES) for _ in range(randomly.choice((0, 0, 0, 1, 2)))]
    return graphpipe.encode_request(graphpipe.InferRequest(tuple(tensors), tuple(names), tuple(outputs)))


def _tensor(randomly: random.Random) -> Any:
    if randomly.random() < 0.4:
        return np.frombuffer(randomly.randbytes(24 * randomly.randint(0, 9)), "<f4").reshape(-1, 6)
    shape = [randomly.choice((0, 1, 2, 6, 7)) for _ in range(randomly.randrange(5))]
    dtype = randomly.choice([*graphpipe.messages.DTYPES.values(), None])
    count = int(np.prod(shape, dtype=int))
    if dtype is None:
        texts = np.empty(count, object)
        texts[:] = [randomly.randbytes(randomly.randrange(4)) for _ in range(count)]
        return texts.reshape(shape)
    return np.frombuffer(randomly.randbytes(count * dtype.itemsize), dtype).reshape(shape)


_NAMES = ("windows", "forecast", "numbers", "texts", "doubled", "", "x", "ü" * 100)


def _requests() -> list[bytes]:
    """Return valid requests of every kind, as seeds for mutations."""
    windows = np.arange(12, dtype=np.float32).reshape(2, 6)
    numbers, texts = np.array([1, 2], np.int32), np.array([b"a", "ü".encode()], object)
    requests: list[Any] = [
        graphpipe.InferRequest((windows,)),
        graphpipe.InferRequest((windows[:1],), ("windows",), ("forecast",), '{"a": 1}'),
        graphpipe.InferRequest((windows.astype(np.float64),)),
        graphpipe.InferRequest((numbers, texts)),
        graphpipe.InferRequest((texts, numbers), ("texts", "numbers"), ("doubled", "texts")),
        graphpipe.InferRequest((np.full((1, 6), np.nan, np.float32),)),
        graphpipe.InferRequest(()),
        graphpipe.MetadataRequest(),
    ]
    return [graphpipe.encode_request(request) for request in requests]


def _answers() -> list[bytes]:
    """Return valid answers of every kind, as seeds for mutations."""
    forecast = np.arange(12, dtype=np.float32).reshape(2, 2, 3)
    texts = np.array([b"a", b"", "ü".encode()], object)
    io = graphpipe.IOMetadata("windows", graphpipe.Type.Float32, (-1, 6), "of readings")
    rejections = (graphpipe.ErrorMessage(400, "no"), graphpipe.ErrorMessage(422, "does not fit"))
    return [
        graphpipe.encode_infer_response(graphpipe.InferResponse((forecast,))),
        graphpipe.encode_infer_response(graphpipe.InferResponse((forecast, texts))),
        graphpipe.encode_infer_response(graphpipe.InferResponse(errors=rejections)),
        graphpipe.encode_metadata_response(
            graphpipe.MetadataResponse("forecast", "1", "s", "{}", (io,), (io, io))
        ),
    ]
