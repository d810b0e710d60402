"""Bearer tokens: which requests reach the application."""

from typing import Any

import orjson
import pytest

from fncast.http.guard import Guard
from fncast.http.login import Login

TOKEN = "a-token"


@pytest.mark.parametrize("kind", [Guard, Login])
async def test_a_request_with_the_token_is_accepted(kind: type[Guard], send_request: Any) -> None:
    response = await send_request(kind, "/metrics", {"authorization": f"Bearer {TOKEN}"})
    assert (response.status, response.body) == (200, b"inside")


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer a-toke", "Bearer a-token2", "Basic a-token"]
)
@pytest.mark.parametrize("kind", [Guard, Login])
async def test_other_credentials_are_rejected(kind: type[Guard], given: str, send_request: Any) -> None:
    response = await send_request(kind, "/metrics", {"authorization": given} if given else {})
    assert response.status == 401
    assert response.headers["www-authenticate"] == "Bearer"
    assert TOKEN.encode() not in response.body


async def test_health_checks_need_no_token(send_request: Any) -> None:
    for path in ("/healthz", "/readyz"):
        assert (await send_request(Guard, path)).body == b"inside"


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/v2", "application/json"),
        ("/v2/models/forecast/infer", "application/json"),
        ("/v2/apps", "application/json"),
        ("/invoke/X", "application/json"),
        ("/t/fncast/forecast", "application/json"),
        ("/", "text/plain; charset=utf-8"),
        ("/metrics", "text/plain; charset=utf-8"),
    ],
)
async def test_the_rejection_has_the_form_of_the_applications_errors(
    path: str, content_type: str, send_request: Any
) -> None:
    response = await send_request(Guard, path)
    assert response.headers["content-type"] == content_type
    if "json" in content_type:
        text = "a bearer token is needed"
        assert orjson.loads(response.body) == {"error": text, "message": text}
    else:
        assert response.body == b"a bearer token is needed\n"
