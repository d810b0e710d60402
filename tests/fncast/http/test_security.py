"""Processes that listen with TLS and a token, and clients that use both."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import requests
from tritonclient.grpc import InferenceServerClient
from tritonclient.utils import InferenceServerException

from fncast.failure import Failure
from fncast.http.security import token_argument
from model_service.client import GraphPipeClient, ModelUnavailable, connect_inference_protocol
from tests.running_command import ROOT, RunningCommand

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

TOKEN = "not-to-be-shown-7f3a"
ANSWER_S = 60


@dataclass(frozen=True)
class Files:
    certificate: Path
    key: Path
    token: Path

    def flags(self) -> list[str]:
        words = ["--tls-certificate", self.certificate, "--tls-key", self.key, "--token-file", self.token]
        return list(map(str, words))


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    folder = tmp_path_factory.mktemp("secrets")
    files = Files(folder / "certificate.pem", folder / "key.pem", folder / "token")
    names = "subjectAltName=IP:127.0.0.1,DNS:localhost"
    words = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=fncast"]
    command = [*words, "-addext", names, "-keyout", str(files.key), "-out", str(files.certificate)]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    files.token.write_text(TOKEN + "\n")
    return files


Start = Callable[..., str]


@pytest.fixture
def start(files: Files) -> Iterator[Start]:
    """start("model-service", ...): the URL of an `fncast` process with TLS and token. It must not print the token."""
    running: list[RunningCommand] = []

    def start_one(*words: str, **variables: str) -> str:
        environment = {**os.environ, "SSL_CERT_FILE": str(files.certificate), **variables}
        running.append(RunningCommand(*words, "--port", "0", *files.flags(), environment=environment))
        return running[-1].url

    yield start_one
    try:
        for command in running:
            command.stop()
    finally:
        for command in running:
            command.close()
    for command in running:
        assert TOKEN not in "".join(command.lines)
        assert "Handshake failed" not in "".join(command.lines)  # gRPC would write a line for each


def test_the_model_service_needs_its_token(
    start: Start, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = start("model-service", "--models", str(tmp_path), "--wait")
    assert requests.get(f"{url}/metrics", verify=files.certificate, timeout=ANSWER_S).status_code == 401
    headers = {"Authorization": f"Bearer {TOKEN}"}
    answer = requests.get(f"{url}/metrics", headers=headers, verify=files.certificate, timeout=ANSWER_S)
    assert answer.status_code == 200
    windows = np.zeros((1, 48), np.float32)
    with pytest.raises(ModelUnavailable, match="certificate verify failed"):
        GraphPipeClient(url, token=TOKEN).infer(windows)
    monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
    with pytest.raises(ModelUnavailable, match="401: a bearer token is needed"):
        GraphPipeClient(url).infer(windows)
    with pytest.raises(ModelUnavailable, match="no model") as caught:  # accepted
        GraphPipeClient(url, token=TOKEN).infer(windows)
    assert TOKEN not in str(caught.value)


def test_grpc_needs_the_token_too(
    start: Start, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    url = start("model-service", "--models", str(tmp_path), "--wait", "--grpc-port", str(unused_tcp_port))
    with socket.create_connection(("127.0.0.1", unused_tcp_port), ANSWER_S) as stranger:
        stranger.sendall(b"this is not TLS")
        while stranger.recv(100):
            pass
    client = InferenceServerClient(address, ssl=True, root_certificates=str(files.certificate))
    assert client.is_server_live(client_timeout=ANSWER_S)  # health checks need no token
    assert not client.is_server_ready()
    for headers in ({}, {"authorization": "Bearer wrong"}):
        with pytest.raises(InferenceServerException, match="a bearer token is needed") as raised:
            client.get_model_metadata("forecast", headers=headers)
        assert raised.value.status() == "StatusCode.UNAUTHENTICATED"
    with pytest.raises(InferenceServerException, match="no model is in service yet"):  # accepted
        client.get_model_metadata("forecast", headers={"authorization": f"Bearer {TOKEN}"})
    client.close()
    monkeypatch.setenv("SSL_CERT_FILE", str(files.certificate))
    for place in (f"grpcs://{address}", url):  # the clients of the forecast function
        with pytest.raises(ModelUnavailable, match="a bearer token is needed"):
            connect_inference_protocol(place).metadata()
        with pytest.raises(ModelUnavailable, match="no model is in service yet"):
            connect_inference_protocol(place, token=TOKEN).metadata()


def test_the_function_host_needs_its_token_and_the_function_sends_the_token_of_the_model_service(
    start: Start, files: Files, tmp_path: Path
) -> None:
    model_url = start("model-service", "--models", str(tmp_path), "--wait")
    url = start("functions", "functions/forecast", GP_SERVER_URL=model_url, GP_SERVER_TOKEN=TOKEN)
    event = (ROOT / "ce.json").read_text("utf-8")
    call = {
        "url": f"{url}/t/fncast/forecast",
        "data": event,
        "verify": files.certificate,
        "timeout": ANSWER_S,
    }
    assert requests.post(**call).status_code == 401  # type: ignore[arg-type]
    answer = requests.post(**call, headers={"Authorization": f"Bearer {TOKEN}"})  # type: ignore[arg-type]
    assert answer.json()["type"] == "io.fncast.unavailable.v1"
    assert "no model" in answer.json()["data"]["reason"]  # not 401: the model service accepted the function

    def invoke(**variables: str) -> str:
        """The stderr of `fncast invoke`."""
        command = [sys.executable, "-m", "fncast", "invoke", "forecast", "ce.json"]
        environment = {**os.environ, "FNCAST_FN__URL": url, **variables}
        done = subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=ANSWER_S
        )
        assert TOKEN not in done.stdout + done.stderr
        return done.stderr

    trusted = {"SSL_CERT_FILE": str(files.certificate)}
    assert "certificate verify failed" in invoke(FNCAST_FN__TOKEN_FILE=str(files.token))
    assert "401" in invoke(**trusted)
    assert "no model" in invoke(**trusted, FNCAST_FN__TOKEN_FILE=str(files.token))  # accepted


def test_the_page_is_shown_after_a_login(start: Start, files: Files) -> None:
    url = start("dashboard", "--bootstrap-servers", "127.0.0.1:9")
    browser = requests.Session()
    browser.trust_env = False  # else a CA bundle in the environment would win
    browser.verify = str(files.certificate)
    assert 'type="password"' in browser.get(url, timeout=ANSWER_S).text
    assert browser.get(f"{url}/state", timeout=ANSWER_S).status_code == 401
    page = browser.post(f"{url}/login", {"token": TOKEN}, timeout=ANSWER_S)
    assert page.status_code == 200
    assert 'type="password"' not in page.text
    assert browser.get(f"{url}/state", timeout=ANSWER_S).status_code == 200
    (cookie,) = browser.cookies
    assert cookie.secure
    assert cookie.has_nonstandard_attr("HttpOnly")


@pytest.mark.parametrize(
    ("content", "error"),
    [
        ("", "holds no token"),
        ("two words", "holds no token"),
        (None, "cannot be read"),
        ("é", "holds no token"),
    ],
)
def test_a_token_file_without_a_token_is_rejected(content: str | None, error: str, tmp_path: Path) -> None:
    file = tmp_path / "token"
    if content is not None:
        file.write_text(content)
    with pytest.raises(Failure, match=error) as caught:
        token_argument(file)
    assert not content or content not in str(caught.value)


def test_certificate_and_key_go_together(files: Files) -> None:
    command = [sys.executable, "-m", "fncast", "model-service", "--models", ".", "--wait", "--port", "0"]
    for words, error in (
        (["--tls-certificate", files.certificate], "go together"),
        (["--tls-certificate", files.key, "--tls-key", files.key], str(files.key)),
    ):
        done = subprocess.run(
            [*command, *map(str, words)], cwd=ROOT, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 1
        assert error in done.stderr
