"""Shared by the tests of calls over HTTP."""

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from interceptor.routes.function_client import FunctionClient
from tests.interceptor.routes.fake_fn import FakeFn


@pytest.fixture
async def fn():
    fake = FakeFn()
    app = web.Application()
    app.add_routes(
        [web.get("/v2/apps", fake.apps), web.get("/v2/fns", fake.fns), web.post("/invoke/F", fake.invoke)]
    )
    server = TestServer(app)
    await server.start_server()
    fake.url = f"http://{server.host}:{server.port}"
    yield fake
    await server.close()


@pytest.fixture
async def client(fn):
    function_client = FunctionClient(fn.url, timeout_s=2, connections=2)
    yield function_client
    await function_client.close()
