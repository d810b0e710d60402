"""The login form and its session cookie."""

from typing import Any

import pytest

from fncast.http.login import Login

TOKEN = "a-token"


async def log_in(send_request: Any, **options: Any) -> str:
    """The `Set-Cookie` of a login with the right token."""
    response = await send_request(Login, "/login", form={"token": options.get("token", TOKEN)}, **options)
    cookie: str = response.headers["set-cookie"]
    return cookie


async def test_a_browser_logs_in_once(send_request: Any) -> None:
    redirect = await send_request(Login, "/")
    assert (redirect.status, redirect.headers["location"]) == (303, "/login")
    form = await send_request(Login, "/login")
    assert b'type="password"' in form.body
    done = await send_request(Login, "/login", form={"token": TOKEN})
    assert (done.status, done.headers["location"]) == (303, "/")
    cookie = done.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert TOKEN not in cookie
    page = await send_request(Login, "/events", {"cookie": f"other=1; {cookie.partition(';')[0]}"})
    assert page.body == b"inside"


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
async def test_cookies_of_other_applications_are_ignored(others: str, send_request: Any) -> None:
    cookie = (await log_in(send_request)).partition(";")[0]
    assert (await send_request(Login, "/events", {"cookie": others.replace("{}", cookie)})).status == 200


@pytest.mark.parametrize("form", [None, {"token": TOKEN}])
async def test_the_form_redirects_to_the_page_after_the_login(
    form: dict[str, str] | None, send_request: Any
) -> None:
    """A browser's back button and bookmarks lead to the form."""
    cookie = (await log_in(send_request)).partition(";")[0]
    response = await send_request(Login, "/login", {"cookie": cookie}, form)
    assert (response.status, response.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "form", [{"token": "wrong"}, {"token": ""}, {}, {"token": "x" * 10_000}, dict.fromkeys("abcdef", "1")]
)
async def test_a_wrong_token_sets_no_cookie(form: dict[str, str], send_request: Any) -> None:
    response = await send_request(Login, "/login", form=form)
    assert response.status == 401
    assert "set-cookie" not in response.headers


async def test_the_cookie_of_another_token_is_rejected(send_request: Any) -> None:
    cookie = await log_in(send_request, token="other")
    assert (await send_request(Login, "/state", {"cookie": cookie.partition(";")[0]})).status == 401


async def test_the_cookie_is_secure_over_https(send_request: Any) -> None:
    assert (await log_in(send_request, scheme="https")).endswith("; Secure")
