"""The folders of Fn functions keep the import contracts of `functions`.

They are not packages, because the FDK loads `func.py` by its path, so import-linter does not see them.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILES = sorted(file for folder in ROOT.glob("functions/*/func.yaml") for file in folder.parent.glob("*.py"))


def forbidden_modules() -> set[str]:
    """The modules that a contract of setup.cfg forbids to `functions`."""
    parser = ConfigParser()
    parser.read(ROOT / "setup.cfg", "utf-8")
    contracts = [section for name, section in parser.items() if name.startswith("importlinter:contract:")]
    of_functions = [each for each in contracts if "functions" in each.get("source_modules", "").split()]
    return {module for each in of_functions for module in each.get("forbidden_modules", "").split()}


def imported(source: str) -> Iterator[str]:
    """The dotted names that a source imports; for `from a import b` both `a` and `a.b`."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def violations(source: str) -> list[str]:
    forbidden = tuple(f"{module}." for module in forbidden_modules())
    return [name for name in imported(source) if f"{name}.".startswith(forbidden)]


def test_there_are_functions_and_contracts() -> None:
    assert {file.parent.name for file in FILES} >= {"forecast", "notify"}
    assert forbidden_modules() >= {"consumer", "fncast.cli", "model_service.serving", "tensorflow"}


@pytest.mark.parametrize(
    "source",
    [
        "import consumer.loop",
        "def f():\n    from model_service import serving",
        "from tensorflow.lite import x",
    ],
)
def test_a_forbidden_import_is_found(source: str) -> None:
    assert violations(source)


def test_the_clients_and_codecs_are_allowed() -> None:
    assert not violations("from model_service.protocols import graphpipe\nimport model_service.client")


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_a_function_imports_nothing_that_a_contract_forbids(file: Path) -> None:
    assert violations(file.read_text("utf-8")) == []
