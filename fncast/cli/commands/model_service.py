"""`fncast model-service`: serves models over GraphPipe and the Open Inference Protocol."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import sys
from pathlib import Path

from fncast import models as base_models
from fncast.cli.arguments.models_folder import models_folder
from fncast.failure import Failure
from fncast.http.listener import bind
from fncast.http.port import parse_port
from fncast.http.security import Security, add_listener_arguments
from fncast.http.server import serve
from model_service.serving.metrics import Metrics
from model_service.serving.model import Model
from model_service.serving.repository import Models, Repository, SingleModel, loader
from model_service.serving.runtimes.runtime import UnusableModel
from model_service.serving.runtimes.runtime_choice import RUNTIMES, open_runtime
from model_service.serving.server import Companion, ModelServer
from model_service.serving.version_folder import NAME_RULE, is_model_name, scan

log = logging.getLogger(__name__)

PORT, GRPC_PORT = 9000, 9001
NO_GRPC = -1
# Allocations between two runs of Python's garbage collector. Python's default would run it every few requests.
COLLECT_EVERY = 20_000
# How long a request waits for the GIL while another thread loads a new version. Python's default is longer.
SWITCH_INTERVAL_S = 0.001

EXAMPLES = """
fncast model-service
fncast model-service --models models
fncast model-service --models models --pin forecast=2 --port 9100
fncast model-service --model model.tflite --name forecast
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_model_arguments(parser)
    parser.add_argument(
        "--runtime",
        choices=RUNTIMES,
        default="auto",
        help="library that runs the models; auto: LiteRT if it is installed and there is a .tflite file, else"
        " TensorFlow (default: %(default)s)",
    )
    parser.add_argument(
        "--wait", action="store_true", help="start even if --models holds no model yet, and wait for one"
    )
    parser.add_argument(
        "--grpc-port",
        type=_grpc_port,
        metavar="PORT",
        help=f"port of the Open Inference Protocol over gRPC; 0: any free port, none: no gRPC (default: {GRPC_PORT}, "
        f"or none if --port is not {PORT})",
    )
    add_listener_arguments(parser, PORT)


def _add_model_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags that say which models are served, and under which names."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--models",
        type=models_folder,
        metavar="DIR",
        help="folder with <name>/<version>/, as `fncast train --models DIR` writes it; new versions are loaded"
        " (default: the base model, which comes with fncast)",
    )
    source.add_argument(
        "--model",
        type=Path,
        metavar="PATH",
        help="serve one model: a frozen graph (.pb), a .tflite file or a SavedModel folder",
    )
    parser.add_argument(
        "--inputs",
        type=_names,
        default=(),
        metavar="A,B",
        help="input nodes of a frozen graph (default: its placeholders)",
    )
    parser.add_argument(
        "--outputs",
        type=_names,
        default=(),
        metavar="A,B",
        help="output nodes of a frozen graph (default: those that no other node reads)",
    )
    parser.add_argument(
        "--name",
        help="with --models, the model that the path / serves (default: the only one, or `forecast`); with --model, the"
        " model's name (default: that of its file)",
    )
    parser.add_argument(
        "--pin",
        type=_pin,
        action="append",
        default=[],
        metavar="NAME=VERSION",
        help="serve this version at /NAME, even if there is a newer one; may be repeated",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve the models until SIGINT or SIGTERM. Returns the exit code. Raises Failure."""
    if arguments.grpc_port and arguments.grpc_port == arguments.port:
        raise Failure(
            f"--grpc-port and --port are both {arguments.grpc_port}; give HTTP and gRPC different ports"
        )
    metrics = Metrics()
    models: Models
    if arguments.model is None and arguments.models is None:
        if arguments.wait:
            raise Failure("--wait goes with --models: the base model is always there")
        arguments.models = base_models.FOLDER
    if arguments.model is not None:
        models = _single(arguments, metrics)
    else:
        models = build_repository(arguments, metrics)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()  # the loaded objects stay: the collector need not traverse them
    gc.set_threshold(COLLECT_EVERY)
    served = ", ".join(sorted({str(model) for model in models.paths.values()})) or "no model yet"
    security = Security.of(arguments)
    grpc_address, companion = build_grpc(arguments, models, security)
    ready = f"GraphPipe on {{url}} and the Open Inference Protocol on {{url}}/v2{grpc_address} ({served})"
    app = ModelServer(models, metrics, companion=companion)
    return serve(app, arguments.host, arguments.port, ready, security)


def build_grpc(
    arguments: argparse.Namespace, models: Models, security: Security
) -> tuple[str, Companion | None]:
    """The gRPC server, and its address as text for the user; empty and None without gRPC. Raises Failure."""
    port = arguments.grpc_port
    if port is None:
        port = GRPC_PORT if arguments.port == PORT else NO_GRPC
    if port == NO_GRPC:
        return "", None
    # gRPC's core writes a line for each failed TLS handshake. It reads this variable when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "ERROR")
    try:
        from model_service.protocols.open_inference.grpc_server import Credentials, GrpcServer
    except ImportError as error:
        reason = f"gRPC needs the module {error.name!r}: install it with pip install '.[grpc]' in fncast's repository"
        if arguments.grpc_port is None:
            log.warning("no gRPC: %s", reason)
            return "", None
        raise Failure(f"{reason}, or leave it out with --grpc-port none") from None
    # gRPC cannot use an open socket. This socket gives a clear error if the port is in use, and reserves the port until
    # gRPC binds it.
    reserved = bind(arguments.host, port, "--grpc-port (none: no gRPC)")
    port = reserved.getsockname()[1]
    credentials = Credentials(token=security.token)
    if security.certificate and security.key:
        credentials = Credentials(
            security.certificate.read_bytes(), security.key.read_bytes(), security.token
        )
    scheme = "grpcs" if security.certificate else "grpc"
    return (
        f" and {scheme}://{arguments.host}:{port}",
        GrpcServer(models, arguments.host, port, credentials, reserved),
    )


def _single(arguments: argparse.Namespace, metrics: Metrics) -> SingleModel:
    """The model of the file or folder --model. Raises Failure."""
    path: Path = arguments.model
    if arguments.pin or arguments.wait:
        raise Failure("--pin and --wait go with --models, not with --model")
    if not path.exists():
        raise Failure(f"no such model: {path}; --model needs a .pb or .tflite file or a SavedModel folder")
    name = arguments.name or (path.stem if is_model_name(path.stem) else "model")
    if not is_model_name(name):
        raise Failure(f"{name!r} is not a model name: {NAME_RULE}; pass another --name")
    try:
        runtime = open_runtime(
            path, arguments.runtime, arguments.inputs, arguments.outputs, is_unverified=True
        )
        return SingleModel(Model(name, 1, runtime, observe=metrics.observe))
    except UnusableModel as error:
        raise Failure(str(error)) from None


def build_repository(arguments: argparse.Namespace, metrics: Metrics) -> Repository:
    """The models of the folder --models. Raises Failure."""
    folder: Path = arguments.models
    if arguments.inputs or arguments.outputs:
        raise Failure("--inputs and --outputs go with --model, not with --models")
    if not folder.is_dir() and not arguments.wait:
        raise Failure(
            f"no such folder: {folder}; `fncast train --models {folder}` creates it and trains a model"
        )
    pins = dict(arguments.pin)
    repository = Repository(folder, loader(arguments.runtime, metrics.observe), pins, arguments.name)
    if folder.is_dir():
        repository.refresh()
    if arguments.wait:
        return repository
    rejected = "; ".join(repository.rejected.values())
    if not repository.paths:
        raise Failure(f"no model to serve in {folder}: {rejected or _empty(folder)}; --wait starts without")
    for name, version in pins.items():
        if f"/{name}" not in repository.paths:
            raise Failure(
                f"{name}/{version} is pinned but not in {folder}" + (f" ({rejected})" if rejected else "")
            )
    if arguments.name and "/" not in repository.paths:
        known = ", ".join(sorted({model.name for model in repository.paths.values()}))
        raise Failure(f"no model {arguments.name!r} in {folder}; the models are {known}")
    return repository


def _empty(folder: Path) -> str:
    try:
        if folder.is_dir() and scan(folder):
            return f"all versions are retired; `fncast models list --models {folder}` names them"
    except OSError as error:
        return f"it cannot be read: {error}; give the user of this process the permission"
    return f"it holds no <name>/<version>/; `fncast train --models {folder}` trains one"


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _grpc_port(text: str) -> int:
    if text == "none":
        return NO_GRPC
    try:
        return parse_port(text)
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"{error}; or none") from None


def _pin(text: str) -> tuple[str, int]:
    name, _, version = text.partition("=")
    if not is_model_name(name) or not version.isascii() or not version.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not NAME=VERSION, such as forecast=3")
    return name, int(version)
