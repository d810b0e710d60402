"""The virtual environments of the peers. Each is created from its pinned requirements."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from benchmarks.lib.failure import MeasurementFailed

REQUIREMENTS = Path(__file__).parents[1] / "peers" / "requirements"
ENVIRONMENTS = Path(__file__).parents[1] / ".peers"  # git-ignored
INSTALL_S = 3_600.0  # some environments download gigabytes, and a busy machine unpacks them slowly


class NoEnvironment(MeasurementFailed):
    """A peer's environment cannot be created. The text says why."""


def packages_of(name: str) -> Path:
    """Return the folder from which another interpreter can import the packages of `name`. Raises NoEnvironment."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return python_of(name).parents[1] / "lib" / version / "site-packages"


def python_of(name: str) -> Path:
    """Return the interpreter of the environment `name`, which is installed if it is missing. Raises NoEnvironment."""
    requirements = REQUIREMENTS / f"{name}.txt"
    folder = ENVIRONMENTS / name
    python, installed = folder / "bin" / "python", folder / "installed"
    fingerprint = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()
    if installed.is_file() and installed.read_text() == fingerprint:
        return python
    print(f"installing the environment of {name}", file=sys.stderr, flush=True)
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*pip, "-r", str(requirements)], capture_output=True, text=True, timeout=INSTALL_S
        )
    except subprocess.TimeoutExpired:
        raise NoEnvironment(f"pip did not install {requirements} within {INSTALL_S:g} s") from None
    if done.returncode:
        raise NoEnvironment(f"pip cannot install {requirements}: {done.stderr.strip()[-2000:]}")
    installed.write_text(fingerprint)
    return python
