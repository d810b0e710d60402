"""A running `fncast functions`, and a function that follows orders."""

import json
import re
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import requests

from tests.waiting import eventually

ROOT = Path(__file__).parents[4]
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


class Host:
    """A running `fncast functions` and its stderr."""

    def __init__(self, *arguments: object) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fncast", "functions", "--port", "0", *map(str, arguments)],
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        assert self.process.stderr
        line = self.process.stderr.readline()
        found = re.search(r"http://\S+", line)
        assert found, line + self.process.stderr.read()
        self.url = found[0]
        self.stderr: list[str] = []
        self._reader = threading.Thread(target=lambda: self.stderr.extend(self.process.stderr or ()))
        self._reader.start()
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
        """End the process, and close its stderr once no child holds it open."""
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        psutil.wait_procs(self.children, timeout=5)
        for child in self.children:
            assert not child.is_running()
        self._reader.join(5)
        if self.process.stderr:
            self.process.stderr.close()
