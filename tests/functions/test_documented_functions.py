"""The functions of docs/functions.md run as they are written, each behind a route of its form."""

from __future__ import annotations

import re
from pathlib import Path

import orjson
import pytest

from functions.host.folder import read_folder
from interceptor.builtin.deliver import Deliver
from interceptor.chain import read_delivery
from interceptor.delivery import Batch, Delivery, Record
from interceptor.outcome import Forecast, Headers
from interceptor.routes.function_client import FunctionClient
from interceptor.routes.route import Route
from tests.functions.running_host import running_host
from tests.interceptor.deliveries import settle

pytestmark = pytest.mark.integration

PAGE = (Path(__file__).parents[2] / "docs" / "functions.md").read_text("utf-8")
FORMS = {
    "func.py": Route("mean", "fn:fncast/mean", batch=True),
    "func.py, one event a call": Route("mean", "fn:fncast/mean", batch=False),
    "func.py, tensor calls": Route("mean", "fn:fncast/mean", batch=True, encoding="graphpipe"),
}
MOST_LINES = 10  # of the handler


def written(name: str) -> str:
    (found,) = re.findall(rf"```python\n# {re.escape(name)}\n(.*?)```", PAGE, flags=re.DOTALL)
    return str(found)


def window(place: int, values: list[float | None], route: Route) -> Delivery:
    headers: Headers = [
        ("ce_specversion", b"1.0"),
        ("ce_id", str(place).encode()),
        ("ce_source", b"/in"),
        ("ce_type", b"io.fncast.window.v1"),
        ("content-type", b"application/json"),
    ]
    data = orjson.dumps({"start": "2024-01-01T00:00:00Z", "step_s": 300, "values": values})
    delivery = Delivery(Record("metrics", 0, place, 0, None, data, headers))
    read_delivery(delivery)
    delivery.route = route
    return delivery


@pytest.mark.parametrize("name", FORMS)
def test_a_documented_function_is_short(name: str) -> None:
    handler = written(name).partition("def handler(")[2]
    assert 1 < len(handler.strip().splitlines()) <= MOST_LINES


@pytest.mark.parametrize("name", FORMS)
async def test_it_answers_the_mean_of_each_window(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "mean"
    folder.mkdir()
    (folder / "func.py").write_text(written(name))
    (found,) = re.findall(r"```yaml\n# func.yaml\n(.*?)```", PAGE, flags=re.DOTALL)
    (folder / "func.yaml").write_text(found)
    deliveries = [window(1, [None, 2, 4], FORMS[name]), window(2, [5, 7, 9], FORMS[name])]
    with running_host(read_folder(folder)) as url:
        deliver = Deliver(FunctionClient(url, 20, 4))
        try:
            await settle(deliver, Batch(deliveries))
        finally:
            await deliver.close()
    means = []
    for delivery in deliveries:
        assert isinstance(delivery.outcome, Forecast)
        data = orjson.loads(delivery.outcome.events[0].value or b"")
        means.append(data["mean"] if "mean" in data else data["values"][0])
    assert means == [3, 7]
