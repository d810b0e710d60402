"""The wheel, installed into an empty environment: what it adds, and that its public names work there."""

from __future__ import annotations

import subprocess
import sys
import venv
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

NAMES = {"consumer", "fncast", "functions", "interceptor", "model_service"}
# Only paths of packages: a .pth file in them would add the checkout.
LIBRARIES = [path for path in sys.path if path.endswith("site-packages")]
USE = f"""
import sys
sys.path += {LIBRARIES}
import fncast
from fncast import Batch, DeadLetter, Delivery, Forecast, Interceptor, Skipped
from fncast.testing import LocalFncast
from consumer.service import Service
print(fncast.__file__, Interceptor.__module__)
"""
# A package that only an extra brings cannot be imported, as after `pip install .` without extras.
USE_WITHOUT_EXTRAS = f"""
import re, sys
from importlib.metadata import requires
required = [re.match("[a-z]+", line)[0] for line in requires("fncast") if "extra ==" not in line]
class NoExtras:
    def find_spec(self, name, path=None, target=None):
        if path is None and name not in (*required, *sys.stdlib_module_names, *{sorted(NAMES)}):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, NoExtras())
sys.path += {LIBRARIES}
from fncast import Batch, DeadLetter, Delivery, Forecast, Interceptor, Skipped
"""


@dataclass(frozen=True)
class Environment:
    """An environment with fncast's wheel and nothing else."""

    folder: Path

    @property
    def packages(self) -> Path:
        return (
            self.folder / "lib" / f"python{sys.version_info.major}.{sys.version_info.minor}" / "site-packages"
        )

    def run(self, program: str, *words: str) -> str:
        """Run a program of the environment, outside of the checkout. Returns its standard output."""
        return run([str(self.folder / "bin" / program), *words], self.folder)


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("package")
    environment = Environment(folder / "empty")
    venv.create(environment.folder, with_pip=False)
    python = str(environment.folder / "bin" / "python")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    run([*pip, "install", "--no-deps", "--no-index", str(wheel)], folder)
    return environment


def test_it_adds_exactly_five_names(installed: Environment) -> None:
    added = {path.name for path in installed.packages.iterdir() if path.suffix != ".dist-info"}
    assert added == NAMES


def test_it_brings_the_files_that_are_not_python(installed: Environment) -> None:
    for file in (
        "fncast/dashboard/static/index.html",
        "functions/forecast/func.yaml",
        "functions/forecast/func.py",
    ):
        assert (installed.packages / file).is_file(), file


def test_the_public_names_work(installed: Environment) -> None:
    file, module = installed.run("python", "-I", "-c", USE).split()
    assert Path(file).is_relative_to(installed.packages)
    assert module == "interceptor.contract"


def test_the_public_names_need_no_extra(installed: Environment) -> None:
    installed.run("python", "-I", "-c", USE_WITHOUT_EXTRAS)


def test_the_command_is_installed(installed: Environment) -> None:
    assert "usage: fncast" in installed.run("fncast", "--help")
