"""A running `fncast functions`, and a function that follows orders."""

import json

import psutil
import requests

from tests.running_command import ROOT, RunningCommand
from tests.waiting import eventually

FORECAST = ROOT / "functions" / "forecast"
SAMPLE = json.loads((ROOT / "ce.json").read_text())
START_S = 30
# A host ends within 3 s; the tests share their machine.
END_S = 6
# A function that follows the orders in the body. It sets an HTTP status, which only a trigger passes on.
FUNCTION = """
import json, os, time
from fdk import response

def handler(ctx, data):
    order = json.loads(data.getvalue() or b"{}")
    time.sleep(order.get("sleep_s", 0))
    if order.get("exit"):
        os._exit(7)
    if order.get("raise"):
        raise ValueError(order.get("text", "its own text"))
    answer = {"pid": os.getpid(), "method": ctx.Method(), "url": ctx.RequestURL(), "headers": ctx.Headers()}
    return response.Response(ctx, json.dumps(answer), {"Content-Type": "application/json", "X-Own": "x"}, 418)
"""


class Host(RunningCommand):
    """A running `fncast functions`. children: the processes of its functions, once it is ready."""

    def __init__(self, *arguments: object) -> None:
        super().__init__("functions", "--port", 0, *arguments)
        self.children: list[psutil.Process] = []

    def invoke_url(self, function: str) -> str:
        (app,) = requests.get(f"{self.url}/v2/apps", {"name": "fncast"}, timeout=5).json()["items"]
        query = {"app_id": app["id"], "name": function}
        (found,) = requests.get(f"{self.url}/v2/fns", query, timeout=5).json()["items"]
        return str(found["annotations"]["fnproject.io/fn/invokeEndpoint"])

    def wait_until_ready(self) -> None:
        eventually(lambda: requests.get(f"{self.url}/healthz", timeout=5).status_code == 200)
        self.children = psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        """Kill the process, and check that its functions end with it."""
        self.process.kill()
        psutil.wait_procs(self.children, timeout=5)
        self.close()
        for child in self.children:
            assert not child.is_running()
