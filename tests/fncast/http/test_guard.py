"""Who is let in: by the token, by the cookie that the login gives, and nobody else."""

from typing import Any
from urllib.parse import urlencode

import pytest

from fncast.http.guard import Guard, Login

TOKEN = "a-token"


async def app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"inside"})


class Answer:
    def __init__(self, events: list[dict[str, Any]]) -> None:
        self.status: int = events[0]["status"]
        self.headers = {name.decode(): value.decode() for name, value in events[0]["headers"]}
        self.body: bytes = events[1]["body"]


async def ask(
    guard: Guard, path: str = "/", headers: dict[str, str] | None = None, form: dict[str, str] | None = None,
    scheme: str = "http",
) -> Answer:  # fmt: skip
    pairs = [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    method = "GET" if form is None else "POST"
    scope = {"type": "http", "path": path, "method": method, "headers": pairs, "scheme": scheme}
    events: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": urlencode(form or {}).encode(), "more_body": False}

    async def send(event: dict[str, Any]) -> None:
        events.append(event)

    await guard(scope, receive, send)
    return Answer(events)


@pytest.mark.parametrize("kind", [Guard, Login])
async def test_the_token_lets_in(kind: type[Guard]) -> None:
    answer = await ask(kind(app, TOKEN), "/metrics", {"authorization": f"Bearer {TOKEN}"})
    assert (answer.status, answer.body) == (200, b"inside")


@pytest.mark.parametrize(
    "given", ["", "Bearer", "Bearer ", "Bearer a-toke", "Bearer a-token2", "Basic a-token"]
)
@pytest.mark.parametrize("kind", [Guard, Login])
async def test_nothing_else_does(kind: type[Guard], given: str) -> None:
    answer = await ask(kind(app, TOKEN), "/metrics", {"authorization": given} if given else {})
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert TOKEN.encode() not in answer.body


async def test_health_checks_need_no_token() -> None:
    for path in ("/healthz", "/readyz"):
        assert (await ask(Guard(app, TOKEN), path)).body == b"inside"


async def test_a_browser_logs_in_once() -> None:
    page = Login(app, TOKEN)
    sent = await ask(page, "/")
    assert (sent.status, sent.headers["location"]) == (303, "/login")
    form = await ask(page, "/login")
    assert b'type="password"' in form.body
    done = await ask(page, "/login", form={"token": TOKEN})
    assert (done.status, done.headers["location"]) == (303, "/")
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    again = await ask(page, "/events", {"cookie": f"other=1; {cookie.partition(';')[0]}"})
    assert again.body == b"inside"


@pytest.mark.parametrize(
    "others",
    [
        'prefs={"a":1}; {}',
        "_xsrf=2|a|b; {}; x",
        "flag; {}",
        "a b=1;{}",
        't="x y; {}',
        "{}; n=é",
        "fncast=; {}",
    ],
)
async def test_another_applications_cookies_are_no_hindrance(others: str) -> None:
    page = Login(app, TOKEN)
    cookie = (await ask(page, "/login", form={"token": TOKEN})).headers["set-cookie"].partition(";")[0]
    assert (await ask(page, "/events", {"cookie": others.replace("{}", cookie)})).status == 200


async def test_who_is_logged_in_is_led_from_the_form_to_the_page() -> None:
    """A browser's back button and bookmarks lead there."""
    login = Login(app, TOKEN)
    cookie = (await ask(login, "/login", form={"token": TOKEN})).headers["set-cookie"].partition(";")[0]
    for form in (None, {"token": TOKEN}):
        answer = await ask(login, "/login", {"cookie": cookie}, form)
        assert (answer.status, answer.headers["location"]) == (303, "/")


async def test_a_wrong_token_gives_no_cookie() -> None:
    for form in (
        {"token": "wrong"},
        {"token": ""},
        {},
        {"token": "x" * 10_000},
        dict.fromkeys("abcdef", "1"),
    ):
        answer = await ask(Login(app, TOKEN), "/login", form=form)
        assert answer.status == 401
        assert "set-cookie" not in answer.headers


async def test_the_cookie_of_another_token_is_worth_nothing() -> None:
    other = (await ask(Login(app, "other"), "/login", form={"token": "other"})).headers["set-cookie"]
    answer = await ask(Login(app, TOKEN), "/state", {"cookie": other.partition(";")[0]})
    assert answer.status == 401


async def test_over_https_the_cookie_stays_there() -> None:
    answer = await ask(Login(app, TOKEN), "/login", form={"token": TOKEN}, scheme="https")
    assert answer.headers["set-cookie"].endswith("; Secure")
