"""Names of apps, functions and triggers."""

import pytest

from functions.host.api import Api
from functions.host.folder import InvalidFunction
from functions.host.registry import Registry
from tests.functions.host.api_calls import get, pool, post


@pytest.mark.parametrize(
    "name", ["x" * 256, "x" * 100_000, "\x1b[2J", "a b", "a.b", "a/b", "a\nb", "a\u202eb", "\ue000", "a:b"]
)
def test_names_that_fn_rejects_are_rejected(api: Api, name: str) -> None:
    status, document = post(api, "/v2/apps", name=name)
    assert (status, document) == (
        400,
        {"message": "Invalid app name: use letters, digits, `_` and `-`, at most 255"},
    )
    app_id = get(api, "/v2/apps")["items"][0]["id"]
    function_id = get(api, "/v2/fns", name="other")["items"][0]["id"]
    added = {"name": name, "app_id": app_id, "fn_id": function_id, "type": "http", "source": "/x"}
    assert post(api, "/v2/triggers", **added)[0] == 400
    with pytest.raises(InvalidFunction, match="Invalid Trigger name"):
        Registry("fncast", [pool("f", {name: "/x"})])


@pytest.mark.parametrize("name", ["forecast-2", "Café_1", "予測", "x" * 255])
def test_names_that_fn_accepts_are_accepted(api: Api, name: str) -> None:
    assert post(api, "/v2/apps", name=name)[0] == 200
