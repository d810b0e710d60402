"""Routes from the settings."""

from __future__ import annotations

import pytest

from consumer.assembly import build_chain, build_routes
from consumer.settings import FnSettings, InterceptorSettings, RouteSettings, Settings, SettingsError
from interceptor.builtin.deliver import Deliver


def test_an_fn_function_gets_batches_and_a_url_one_event_per_call(tmp_path):
    token = tmp_path / "token"
    token.write_text("secret\n")
    routes = build_routes(
        Settings(
            routes={
                "forecast": "fn:fncast/forecast",
                "plain": "http://host/path",
                "other": RouteSettings("https://host", batch=True, mode="binary", token_file=str(token)),
                "tensor": RouteSettings("fn:a/b", encoding="graphpipe"),
            }
        )
    )
    assert (routes["forecast"].is_fn, routes["forecast"].batch) == (True, True)
    assert (routes["plain"].is_fn, routes["plain"].batch, routes["plain"].mode) == (
        False,
        False,
        "structured",
    )
    assert (routes["tensor"].batch, routes["tensor"].encoding) == (True, "graphpipe")
    assert (routes["other"].batch, routes["other"].mode, routes["other"].token) == (True, "binary", "secret")


@pytest.mark.parametrize(
    "route", ["fn:no-function", "ftp://host", RouteSettings("http://host", token_file="/nowhere")]
)
def test_a_wrong_route_is_named(route):
    with pytest.raises(SettingsError, match=r"\[routes.mine\]"):
        build_routes(Settings(routes={"mine": route}))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["deliver"], "`route` before"),
        (["deliver", "route"], "`route` before"),
        (["expiry", "route"], "no `deliver`"),
        (["route", "assemble", "deliver"], "`assemble` before"),
    ],
)
def test_a_chain_that_settles_no_event_is_rejected(names, message):
    with pytest.raises(SettingsError, match=message):
        build_chain(Settings(interceptors=InterceptorSettings(tuple(names))), Deliver(None))


def test_the_fn_servers_token_is_a_secret_of_its_functions(tmp_path):
    token = tmp_path / "token"
    token.write_text("secret\n")
    routes = build_routes(
        Settings(fn=FnSettings(token_file=str(token)), routes={"f": "fn:a/b", "u": "http://host"})
    )
    assert (routes["f"].token, routes["u"].token) == ("secret", "")


def test_a_route_has_a_token_or_a_login_in_its_url_not_both(tmp_path):
    """A request has one Authorization: the client would reject each call, and the route be out forever."""
    token = tmp_path / "token"
    token.write_text("secret\n")
    with pytest.raises(SettingsError, match=r"\[routes.mine\].*a login") as error:
        build_routes(
            Settings(routes={"mine": RouteSettings("http://user:password@host/x", token_file=str(token))})
        )
    assert "password" not in str(error.value)
