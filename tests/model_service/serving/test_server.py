"""The ASGI application with fake models, called as a server calls it."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from model_service.protocols import graphpipe
from model_service.serving import request_body
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.request_queue import MAX_REQUEST_ROWS, Overloaded
from model_service.serving.runtimes.runtime import Array, RefusedInput, TensorSpec
from model_service.serving.server import ModelServer

DETAILS = {"window": 6, "horizon": 2}
WINDOWS = np.arange(12, dtype=np.float32).reshape(2, 6)
FORECAST = WINDOWS.mean(1)[:, None, None] + np.arange(2)[:, None] + np.arange(3)[None, :]


class FakeRepository:
    """Models that the test sets; `gone` is returned by the next refresh."""

    def __init__(self) -> None:
        self.paths: Mapping[str, Model] = {}
        self.refreshed = asyncio.Event()
        self.gone: list[Model] = []
        self._loop = asyncio.get_running_loop()

    def refresh(self) -> Sequence[Model]:
        self._loop.call_soon_threadsafe(self.refreshed.set)
        gone, self.gone = self.gone, []
        if not self.paths:
            raise RuntimeError("a bug in the shelf")
        return gone


class Answer:
    def __init__(self, messages: list[Any]) -> None:
        self.status = messages[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in messages[0]["headers"]}
        self.body = b"".join(message.get("body", b"") for message in messages[1:])
        assert self.headers["content-length"] == str(len(self.body)) or not self.body

    def errors(self) -> tuple[graphpipe.ErrorMessage, ...]:
        return graphpipe.decode_infer_response(self.body).errors


class Service:
    def __init__(self, shelf: FakeRepository) -> None:
        self.shelf = shelf
        self.metrics = Metrics()
        self.app = ModelServer(shelf, self.metrics, poll_s=0.001)

    async def call(
        self, method: str, path: str, *chunks: bytes, headers: Sequence[tuple[bytes, bytes]] = ()
    ) -> Answer:
        parts = iter(chunks or (b"",))
        last = len(chunks) <= 1
        left = len(chunks) or 1

        async def receive() -> Any:
            nonlocal left
            left -= 1
            if left < 0:
                return {"type": "http.disconnect"}
            return {"type": "http.request", "body": next(parts), "more_body": left > 0 and not last}

        messages: list[Any] = []

        async def send(message: Any) -> None:
            messages.append(message)

        await self.app({"type": "http", "method": method, "path": path, "headers": headers}, receive, send)
        return Answer(messages)

    async def infer(self, *tensors: Array, path: str = "/", **names: Any) -> Answer:
        return await self.call(
            "POST", path, graphpipe.encode_request(graphpipe.InferRequest(tensors, **names))
        )


@pytest.fixture
async def service(fake_runtime: Any) -> AsyncIterator[Service]:
    shelf = FakeRepository()
    service = Service(shelf)
    old = Model("forecast", 1, fake_runtime(offset=100), "{}", DETAILS, service.metrics.observe)
    new = Model("forecast", 2, fake_runtime(), json.dumps(DETAILS), DETAILS, service.metrics.observe)
    shelf.paths = {"/": new, "/forecast": new, "/forecast/2": new, "/forecast/1": old}
    yield service
    await old.close()
    await new.close()


@pytest.mark.parametrize("path", ["/", "/forecast", "/forecast/", "/forecast/2"])
async def test_it_forecasts(service: Service, path: str) -> None:
    answer = await service.infer(WINDOWS, path=path)
    assert answer.status == 200
    assert (answer.headers["model-name"], answer.headers["model-version"]) == ("forecast", "2")
    (forecast,) = graphpipe.decode_infer_response(answer.body).output_tensors
    np.testing.assert_allclose(forecast, FORECAST)


async def test_another_version_by_its_path(service: Service) -> None:
    answer = await service.infer(WINDOWS, path="/forecast/1")
    assert answer.headers["model-version"] == "1"
    np.testing.assert_allclose(graphpipe.decode_infer_response(answer.body).output_tensors[0], FORECAST + 100)


async def test_named_tensors_and_a_chunked_body(service: Service) -> None:
    body = graphpipe.encode_request(graphpipe.InferRequest((WINDOWS,), ("windows",), ("forecast",)))
    answer = await service.call("POST", "/", body[:10], body[10:90], body[90:])
    np.testing.assert_allclose(graphpipe.decode_infer_response(answer.body).output_tensors[0], FORECAST)


async def test_metadata_by_get_and_post(service: Service) -> None:
    request = graphpipe.encode_request(graphpipe.MetadataRequest())
    answer = await service.call("POST", "/forecast/2", request)
    metadata = graphpipe.decode_metadata_response(answer.body)
    assert (metadata.name, metadata.version) == ("forecast", "2")
    assert json.loads(metadata.description) == DETAILS
    assert metadata.inputs == (graphpipe.IOMetadata("windows", graphpipe.Type.Float32, (-1, 6)),)
    assert metadata.outputs == (graphpipe.IOMetadata("forecast", graphpipe.Type.Float32, (-1, 2, 3)),)
    page = json.loads((await service.call("GET", "/")).body)
    assert list(page) == ["Name", "Version", "Server", "Description", "Inputs", "Outputs"]
    assert page["Inputs"] == [{"Name": "windows", "Description": "", "Shape": [-1, 6], "Type": "Float32"}]
    assert page["Version"] == "2"
    assert (await service.call("HEAD", "/")).body == b""


@pytest.mark.parametrize(
    ("tensors", "names", "code", "reason"),
    [
        ([WINDOWS[:, :5]], {}, 422, r"input 'windows' of forecast/2 has the shape \[-1, 6\], not \[2, 5\]"),
        ([WINDOWS[0]], {}, 422, r"not \[6\]"),
        ([WINDOWS[None]], {}, 422, r"not \[1, 2, 6\]"),
        ([WINDOWS[:0]], {}, 422, "empty"),
        ([WINDOWS.astype(np.float64)], {}, 422, "is Float32, not Float64"),
        ([np.array([["a"] * 6])], {}, 422, "is Float32, not String"),
        ([], {}, 422, r"0 tensors and 0 names; forecast/2 takes windows Float32 \[-1, 6\]"),
        ([WINDOWS, WINDOWS], {}, 422, "2 tensors"),
        ([WINDOWS], {"input_names": ("a", "b")}, 422, "2 names"),
        ([WINDOWS], {"input_names": ("x",)}, 400, "has no input 'x'; it has windows"),
        ([WINDOWS], {"output_names": ("y",)}, 400, "has no output 'y'; it has forecast"),
    ],
)
async def test_an_error_has_a_status_and_an_infer_response(
    service: Service, tensors: list[Array], names: Any, code: int, reason: str
) -> None:
    answer = await service.infer(*tensors, **names)
    assert answer.status == 400
    (error,) = answer.errors()
    assert error.code == code
    assert re.search(reason, error.message)


@pytest.mark.parametrize("body", [b"", b"junk", b"\0" * 1000, b"\xff" * 1000, b'{"instances": [1, 2]}'])
async def test_junk_gets_an_error(service: Service, body: bytes) -> None:
    answer = await service.call("POST", "/", body)
    assert answer.status == 400
    assert answer.errors()[0].message.startswith("not a GraphPipe request: ")


@pytest.mark.parametrize("method", ["POST", "GET"])
async def test_paths_without_a_model(service: Service, method: str) -> None:
    answer = await service.call(
        method, "/weather", graphpipe.encode_request(graphpipe.InferRequest((WINDOWS,)))
    )
    assert answer.status == 404
    assert b"there are /, /forecast, /forecast/1, /forecast/2" in answer.body
    service.shelf.paths = {}
    answer = await service.infer(WINDOWS)
    assert (answer.status, answer.headers["retry-after"]) == (503, "1")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/models/forecast:predict", b'{"instances": [[1, 2]]}'),  # TensorFlow Serving
        ("/v1/models/forecast/versions/2:predict", b"{}"),
        ("/v1/models/forecast:predict", b"x"),
        ("/forecast:predict", b""),
        ("/invocations", b'{"inputs": []}'),  # MLflow, SageMaker
        ("/predictions/forecast", b"[1, 2]"),  # TorchServe
        ("/forecast/infer", b"x"),
        ("/forecast/2/infer", b"x"),
        ("/forecast/latest", b"x"),
        ("/v2x/models/forecast/infer", b"{}"),
        ("//forecast", b"x"),
        ("/" + "x" * 100_000 + "!", b"x"),
    ],
)
async def test_a_path_of_another_protocol_gets_a_json_hint(service: Service, path: str, body: bytes) -> None:
    posted = await service.call("POST", path, body)
    assert (posted.status, posted.headers["content-type"]) == (404, "application/json")
    error = json.loads(posted.body)["error"]
    assert "inference is POST /v2/models/NAME/infer" in error
    assert "for example /v2/models/forecast/infer" in error
    assert len(error) <= 600
    got = await service.call("GET", path)
    assert (got.status, got.headers["content-type"]) == (404, "application/json")
    assert json.loads(got.body)["error"]


async def test_json_for_a_graphpipe_path_gets_a_hint(service: Service) -> None:
    for path in ("/", "/forecast", "/forecast/", "/forecast/2"):
        answer = await service.call("POST", path, b'{"instances": [1, 2]}')
        assert answer.status == 400
        assert "the body is JSON; inference is POST /v2/models/NAME/infer" in answer.errors()[0].message


async def test_a_tensor_cannot_have_a_negative_length(service: Service) -> None:
    body = graphpipe.encode_request(graphpipe.InferRequest((WINDOWS[:1],)))
    at = body.index((6).to_bytes(8, "little")) - 8
    minus_one = body[:at] + (-1).to_bytes(8, "little", signed=True) + body[at + 8 :]
    answer = await service.call("POST", "/", minus_one)
    assert answer.status == 400
    assert answer.errors()[0].message == (
        "not a GraphPipe request: a tensor has the shape [-1, 6]; a length cannot be negative; "
        "forecast/2 takes windows Float32 [-1, 6] (-1: any length)"
    )


async def test_alive_and_ready(service: Service) -> None:
    for path in ("/control/is_alive", "/control/is_ready", "/healthz", "/readyz"):
        answer = await service.call("GET", path)
        assert (answer.status, answer.body) == (200, b"ok\n")
    service.shelf.paths = {}
    for path, status in {
        "/control/is_alive": 200,
        "/control/is_ready": 503,
        "/healthz": 200,
        "/readyz": 503,
    }.items():
        assert (await service.call("GET", path)).status == status


async def test_other_methods(service: Service) -> None:
    answer = await service.call("DELETE", "/forecast/1")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD, POST")


async def test_bodies_are_limited(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "MAX_BODY_BYTES", 100)
    refused = await service.call(
        "POST", "/", b"x" * 60, b"x" * 60, b"read to its end, so that the client gets the response"
    )
    assert refused.status == 413
    assert "more than 100 bytes" in refused.errors()[0].message
    monkeypatch.setattr(request_body, "MAX_HELD_BYTES", 50)
    assert (await service.call("POST", "/", b"x" * 30, b"x" * 30)).status == 503
    body = graphpipe.encode_request(graphpipe.InferRequest((WINDOWS[:0],)))
    monkeypatch.setattr(request_body, "MAX_HELD_BYTES", len(body))
    monkeypatch.setattr(request_body, "MAX_BODY_BYTES", len(body))
    assert (
        await service.call("POST", "/", body[:10], body[10:])
    ).status == 400  # what was refused is given back


async def test_a_body_that_never_ends(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_body, "BODY_TIMEOUT_S", 0.01)
    messages: list[Any] = []
    first = [{"type": "http.request", "body": b"x", "more_body": True}]

    async def receive() -> Any:
        if first:
            return first.pop()
        return await asyncio.Event().wait()

    async def send(message: Any) -> None:
        messages.append(message)

    await service.app({"type": "http", "method": "POST", "path": "/", "headers": []}, receive, send)
    assert Answer(messages).status == 408


async def test_a_request_of_too_many_windows(service: Service) -> None:
    answer = await service.infer(np.zeros((MAX_REQUEST_ROWS + 1, 6), np.float32))
    assert answer.status == 413
    assert "131073 windows; at most 131072 are accepted, so split it" in answer.errors()[0].message
    answer = await service.infer(np.zeros((MAX_REQUEST_ROWS, 6), np.float32))
    assert len(graphpipe.decode_infer_response(answer.body).output_tensors[0]) == MAX_REQUEST_ROWS


@pytest.mark.parametrize(
    ("raised", "status", "reason"),
    [
        (RefusedInput("index 9 is out of range"), 400, "index 9 is out of range"),
        (RuntimeError("kernel panic"), 500, "forecast/2 failed: RuntimeError: kernel panic"),
        (Overloaded("full"), 503, "full"),
    ],
)
async def test_a_model_that_fails(
    service: Service,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    raised: Exception,
    status: int,
    reason: str,
) -> None:
    def fail(_: Any) -> Any:
        raise raised

    monkeypatch.setattr(service.shelf.paths["/"].runtime, "run", fail)
    answer = await service.infer(WINDOWS)
    assert answer.status == status
    assert answer.errors()[0].message == reason
    assert ("kernel panic" in caplog.text) == (status == 500)  # the model's bug, not the client's
    monkeypatch.undo()
    assert (await service.infer(WINDOWS)).status == 200


async def test_two_inputs_by_order_and_by_name() -> None:
    """A model without model.json: several inputs and outputs, and its requests are not merged."""

    class Foreign:
        kind = "fake"
        inputs = (TensorSpec("a", np.dtype("<i8"), (-1,)), TensorSpec("b", np.dtype("<i8"), (-1,)))
        outputs = (TensorSpec("difference", np.dtype("<i8"), ()), TensorSpec("sum", np.dtype("<i8"), ()))

        def run(self, inputs: Mapping[str, Array]) -> Mapping[str, Array]:
            a, b = inputs["a"], inputs["b"]
            return {"difference": np.asarray(a.sum() - b.sum()), "sum": np.asarray(a.sum() + b.sum())}

    model = Model("foreign", 1, Foreign())
    shelf = FakeRepository()
    shelf.paths = {"/": model}
    service = Service(shelf)
    a, b = np.array([5, 5]), np.array([1, 2, 3])

    async def results(*tensors: Array, **names: Any) -> list[int]:
        answer = await service.infer(*tensors, **names)
        return [int(value) for value in graphpipe.decode_infer_response(answer.body).output_tensors]

    for expected, got in await asyncio.gather(
        *(_with([4, 16], results(a, b)) for _ in range(3)),
        _with([4, 16], results(b, a, input_names=("b", "a"))),
        _with([16], results(a, b, output_names=("sum",))),
        _with([16, 4], results(a, b, output_names=("sum", "difference"))),
    ):
        assert got == expected
    answer = await service.infer(a, b, input_names=("a", "a"))
    assert "named twice" in answer.errors()[0].message
    await model.close()


async def _with(expected: list[int], got: Any) -> tuple[list[int], list[int]]:
    return expected, await got


async def test_metrics_count_calls_and_windows(service: Service) -> None:
    await asyncio.gather(*(service.infer(WINDOWS) for _ in range(5)))
    page = (await service.call("GET", "/metrics")).body.decode()
    assert "fncast_model_batch_windows_count 1.0" in page
    assert "fncast_model_batch_windows_sum 10.0" in page
    assert "fncast_model_seconds_count 1.0" in page


async def test_it_watches_until_shutdown_and_survives_a_failed_refresh(
    service: Service, caplog: pytest.LogCaptureFixture
) -> None:
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(service.app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    paths, service.shelf.paths = service.shelf.paths, {}  # makes refresh raise
    for _ in range(2):
        service.shelf.refreshed.clear()
        await asyncio.wait_for(service.shelf.refreshed.wait(), 10)
    service.shelf.paths = paths
    assert any("the loaded versions stay" in record.getMessage() for record in caplog.records)
    await inbox.put({"type": "lifespan.shutdown"})
    assert (await sent.get())["type"] == "lifespan.shutdown.complete"
    await asyncio.wait_for(life, 10)


@pytest.mark.parametrize("raised", [RuntimeError("a bug"), SystemExit(1), MemoryError()])
async def test_after_a_failed_refresh_the_next_one_comes_later(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, raised: BaseException
) -> None:
    looks: asyncio.Queue[None] = asyncio.Queue()
    loop = asyncio.get_running_loop()
    failing = 3

    def refresh() -> Sequence[Model]:
        nonlocal failing
        loop.call_soon_threadsafe(looks.put_nowait, None)
        failing -= 1
        if failing >= 0:
            raise raised
        return ()

    monkeypatch.setattr(service.shelf, "refresh", refresh)
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(service.app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    async with asyncio.timeout(10):
        for _ in range(5):
            await looks.get()
    waits = [float(match) for match in re.findall(r"next attempt in (\S+) s", caplog.text)]
    assert waits == [0.002, 0.004, 0.008]
    await inbox.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 10)


async def test_a_model_that_cannot_be_closed_is_logged(
    service: Service, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def fail() -> None:
        raise RuntimeError("it will not go")

    monkeypatch.setattr(service.shelf.paths["/forecast/1"], "close", fail)
    service.shelf.gone = [service.shelf.paths["/forecast/1"]]
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(service.app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    async with asyncio.timeout(10):
        for _ in range(2):
            service.shelf.refreshed.clear()
            await service.shelf.refreshed.wait()
    await inbox.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 10)
    assert "forecast/1 is no longer served, but closing it failed" in caplog.text
    assert "it will not go" in caplog.text


class FakeCompanion:
    """A companion of the application. Its start raises `error`, if given."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.log: list[str] = []

    async def start(self) -> None:
        self.log.append("start")
        if self.error:
            raise self.error

    async def stop(self) -> None:
        self.log.append("stop")


async def test_the_companion_runs_as_long_as_the_application(service: Service) -> None:
    companion = FakeCompanion()
    app = ModelServer(service.shelf, service.metrics, companion=companion)
    inbox: asyncio.Queue[Any] = asyncio.Queue()
    sent: asyncio.Queue[Any] = asyncio.Queue()
    life = asyncio.create_task(app({"type": "lifespan"}, inbox.get, sent.put))
    await inbox.put({"type": "lifespan.startup"})
    assert (await sent.get())["type"] == "lifespan.startup.complete"
    assert companion.log == ["start"]
    await inbox.put({"type": "lifespan.shutdown"})
    await asyncio.wait_for(life, 10)
    assert companion.log == ["start", "stop"]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (OSError("no such address"), "no such address"),
        (RuntimeError("a bug"), "the start failed: RuntimeError: a bug"),
    ],
)
async def test_a_companion_that_cannot_start_fails_the_start(
    service: Service, error: Exception, message: str
) -> None:
    app = ModelServer(service.shelf, service.metrics, companion=FakeCompanion(error))
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "lifespan.startup"}

    async def send(message: Any) -> None:
        sent.append(message)

    await app({"type": "lifespan"}, receive, send)
    assert sent == [{"type": "lifespan.startup.failed", "message": message}]
