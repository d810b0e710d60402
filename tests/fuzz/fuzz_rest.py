"""Random and mutated JSON and binary requests for REST inference, through the application."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import numpy as np
from fuzz_bytes import mutated
from fuzz_json import mutated_document
from fuzz_model_service import SLOW_S, InProcess, RealServer, Target, check_reason
from fuzz_report import Report, Until

_LENGTH = "Inference-Header-Content-Length"
# The statuses of a rejected request; 500 would be a bug.
_REJECTIONS = (400, 404, 413, 415)
_PATHS = (
    "/v2/models/forecast/infer",
    "/v2/models/forecast/versions/1/infer",
    "/v2/models/forecast/versions/latest/infer",
    "/v2/models/words/infer",
    "/v2/models/forecast:predict",
)
_SERVER_SHARE = 0.02  # of bodies are sent through a socket to a real server


def run(randomly: random.Random, until: Until) -> Report:
    """Check that each body gets status 200 with outputs, or a rejection with a reason as JSON, in bounded CPU time."""
    return asyncio.run(_run(randomly, until))


async def _run(randomly: random.Random, until: Until) -> Report:
    report = Report()
    async with InProcess() as in_process, RealServer() as server:
        while not until(report.count):
            target: Target = server if randomly.random() < _SERVER_SHARE else in_process
            path = randomly.choice(_PATHS)
            body, headers = _request(randomly)
            started_s = time.process_time()
            try:
                status, answer = await target.post(path, body, headers)
                _check(status, answer)
            except Exception as error:
                report.crashed(error, (path, headers, body))
                continue
            seconds = time.process_time() - started_s
            if seconds > SLOW_S:
                report.fail(f"took {seconds:.1f} s of CPU", (path, headers, body))
            else:
                report.passed(f"{target.name} {status}")
    return report


def _request(randomly: random.Random) -> tuple[bytes, list[tuple[str, str]]]:
    """Return a body and its headers."""
    document = randomly.choice(_DOCUMENTS)
    kind = randomly.randrange(4)
    if kind == 0:
        return mutated(randomly, [json.dumps(each).encode() for each in _DOCUMENTS]), []
    if kind == 1:
        return json.dumps(mutated_document(randomly, document)).encode(), []
    document, raw = randomly.choice(_BINARY)
    if kind == 2:
        document = mutated_document(randomly, document)
    text = json.dumps(document).encode()
    length: Any = len(text)
    if randomly.random() < 0.2:
        length = randomly.choice((0, 1, len(text) - 1, len(text) + 1, 10**12, -1, "x", "", "9" * 20))
    body = text + raw
    if kind == 3:
        body = mutated(randomly, [body])
    return body, [(_LENGTH, str(length))]


def _check(status: int, answer: bytes) -> None:
    """Check an answer. Raises AssertionError if it is neither correct nor a rejection with a reason."""
    if status == 200:
        document, _ = json.JSONDecoder().raw_decode(answer.decode("latin-1"))
        assert document["outputs"]
        assert all("data" in output or "parameters" in output for output in document["outputs"])
        return
    assert status in _REJECTIONS, f"status {status}: {answer[:300]!r}"
    check_reason(json.loads(answer)["error"])


_WINDOWS = {"name": "windows", "datatype": "FP32", "shape": [1, 6], "data": [1, 2, 3.5, 4, 5, 6]}
_DOCUMENTS: list[dict[str, Any]] = [
    {"inputs": [_WINDOWS]},
    {
        "id": "7",
        "inputs": [{**_WINDOWS, "shape": [2, 6], "data": [[1, 2, 3, 4, 5, 6], [1, 2, 3, 4, 5, 6]]}],
        "outputs": [{"name": "forecast", "parameters": {"binary_data": True}}],
    },
    {
        "inputs": [
            {"name": "numbers", "datatype": "INT32", "shape": [2], "data": [1, -2]},
            {"name": "texts", "datatype": "BYTES", "shape": [2], "data": ["a", "ü"]},
        ],
        "outputs": [{"name": "doubled"}, {"name": "texts"}],
        "parameters": {"binary_data_output": True},
    },
]
_RAW_WINDOWS = {
    "name": "windows",
    "datatype": "FP32",
    "shape": [1, 6],
    "parameters": {"binary_data_size": 24},
}
_BINARY: list[tuple[dict[str, Any], bytes]] = [
    ({"inputs": [_RAW_WINDOWS]}, np.arange(6, dtype="<f4").tobytes()),
    (
        {
            "inputs": [
                {"name": "numbers", "datatype": "INT32", "shape": [1], "data": [1]},
                {
                    "name": "texts",
                    "datatype": "BYTES",
                    "shape": [1],
                    "parameters": {"binary_data_size": 6},
                },
            ],
        },
        b"\x02\0\0\0ab",
    ),
]
