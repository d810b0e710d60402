"""Bodies for the GraphPipe endpoint: mutations of valid messages and random bytes, through the real application."""

from __future__ import annotations

import asyncio
import random
import time
from typing import Any

import numpy as np
from fuzz_bytes import mutated
from fuzz_model_service import SLOW_S, post, served_models
from fuzz_report import Report, Until

from model_service import graphpipe

# A refusal is one of these; a status of 500 would be a fault.
_REFUSALS = (400, 413, 503)


def run(randomly: random.Random, until: Until) -> Report:
    """Each body is answered 200 or refused with a reason, in bounded CPU time."""
    return asyncio.run(_run(randomly, until))


async def _run(randomly: random.Random, until: Until) -> Report:
    report = Report()
    app, close = served_models()
    seeds = _seeds()
    while not until(report.count):
        body = mutated(randomly, seeds)
        path = randomly.choice(("/", "/forecast/1", "/words"))
        started = time.process_time()
        try:
            status, answer = await post(app, path, body)
            _check(status, answer, body)
        except Exception as error:
            report.crashed(error, body)
            continue
        seconds = time.process_time() - started
        if seconds > SLOW_S:
            report.fail(f"took {seconds:.1f} s of CPU", body)
        else:
            report.passed(str(status))
    await close()
    return report


def _check(status: int, answer: bytes, body: bytes) -> None:
    """Raises AssertionError where an answer is neither a right one nor a refusal with its reason."""
    if status == 200:
        request = graphpipe.decode_request(body)  # what was answered must have been a request
        if isinstance(request, graphpipe.MetadataRequest):
            assert graphpipe.decode_metadata_response(answer).name
        else:
            response = graphpipe.decode_infer_response(answer)
            assert response.output_tensors
            assert not response.errors
        return
    assert status in _REFUSALS, f"status {status}: {answer[:300]!r}"
    (error,) = graphpipe.decode_infer_response(answer).errors
    assert error.message
    assert len(error.message) <= 2000, f"a reason of {len(error.message)} characters"


def _seeds() -> list[bytes]:
    """Valid requests of every kind that a mutation begins with."""
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
