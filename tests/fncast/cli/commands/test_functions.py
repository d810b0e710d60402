"""`fncast functions`: folders, flags and the documented function."""

import re
import socket
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import requests

from fncast.cli.main import main
from tests.fncast.cli.commands.function_host import FORECAST, FUNCTION, ROOT, SAMPLE, Host

pytestmark = pytest.mark.integration


def test_the_documented_function_works(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "functions.md").read_text()
    for name, language in (("func.py", "python"), ("func.yaml", "yaml")):
        (found,) = re.findall(rf"```{language}\n# {name}\n(.*?)```", text, flags=re.DOTALL)
        (tmp_path / name).write_text(found)
    host = Host(tmp_path, "--processes", "1")
    try:
        host.wait_until_ready()
        events = [{**SAMPLE, "id": id_, "data": {"values": [1, 2, 6]}} for id_ in "ab"]
        answer = requests.post(host.invoke_url("mean"), json=events, timeout=10)
        assert answer.headers["content-type"] == "application/cloudevents-batch+json"
        assert [output["data"]["mean"] for output in answer.json()] == [3, 3]
        assert [output["causationid"] for output in answer.json()] == ["a", "b"]
    finally:
        host.end()


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    """command(*arguments): exit code and stderr of a `fncast functions` that is rejected, in this process."""

    def call(*arguments: object) -> tuple[int, str]:
        try:
            code = main(["functions", *map(str, arguments)])
        except SystemExit as end:
            code = int(end.code or 0)
        return code, capsys.readouterr().err

    return call


def test_invalid_folders_and_flags_are_rejected(
    command: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    assert command(tmp_path) == (
        1,
        f"fncast: {tmp_path} has no func.yaml, so it is not an Fn function in Python\n",
    )
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: f\nexpects: {config: [{name: PLACE, required: true}]}\n")
    code, text = command(tmp_path)
    assert code == 1
    assert "needs PLACE: set it in the environment or with --config PLACE=" in text
    assert command(FORECAST, "--config", "x")[0] == 2
    assert command(FORECAST, "--processes", "0")[0] == 2
    assert command()[0] == 2


def test_the_shipped_functions_are_found_from_any_folder(
    command: Callable[..., tuple[int, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command("functions/mine") == (1, "fncast: functions/mine is not a folder\n")
    assert command("functions/host") == (1, "fncast: functions/host is not a folder\n")
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        code, text = command("functions/forecast", "functions/notify", "--port", taken.getsockname()[1])
    assert (code, "in use" in text) == (1, True)
    (tmp_path / "functions" / "forecast").mkdir(parents=True)
    assert "functions/forecast has no func.yaml" in command("functions/forecast")[1]


def test_a_port_in_use_is_reported(command: Callable[..., tuple[int, str]], tmp_path: Path) -> None:
    (tmp_path / "func.py").write_text(FUNCTION)
    (tmp_path / "func.yaml").write_text("name: orders\n")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, text = command(tmp_path, "--port", port)
    assert (code, text) == (1, f"fncast: port {port} on 127.0.0.1 is in use; choose another with --port\n")
