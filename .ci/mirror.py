"""Check that the tests mirror the source: mirror.py FILE...

FILE...: all Python files of the repository, relative to the current folder, as `git ls-files` prints them.

The tests of `a/b.py` are in `tests/a/test_b.py`. A file without a function, such as data classes, constants and
Protocols, needs none; neither does a file that protoc has generated. Benchmarks are programs that are run, so a folder
of them needs only one file of tests, for the parts that compute something.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

ROOMS = ("consumer", "interceptor", "functions", "model_service", "fncast")
# Files that need no test, and folders of benchmarks that need none, with the reason.
EXCEPTIONS = {
    "consumer/errors.py": "errors, one of which keeps an argument",
    "fncast/__main__.py": "the entry point of `python -m fncast`: it only calls the command line",
    "benchmarks/peers/": "programs for other libraries, measured beside fncast in environments of those libraries",
}


def problems(files: Collection[str], exceptions: Collection[str] = EXCEPTIONS) -> Iterator[str]:
    """Yield a line for each source without its tests, and for each exception that is no longer needed."""
    for file in sorted(files):
        room, name = file.split("/")[0], file.split("/")[-1]
        if room not in ROOMS or name == "__init__.py" or name.endswith("_pb2.py") or file in exceptions:
            continue
        if mirrored(file) not in files and has_function(Path(file).read_text("utf-8")):
            yield f"{file}: add {mirrored(file)}"
    for folder in sorted(benchmark_folders(files)):
        if folder not in exceptions and not has_tests(folder, files):
            yield f"{folder}: add a test in tests/{folder}"
    for entry in exceptions:
        if not any(file.startswith(entry) for file in files):
            yield f"{entry}: is gone; remove it from EXCEPTIONS in .ci/mirror.py"
        elif has_tests(entry, files) if entry.endswith("/") else mirrored(entry) in files:
            yield f"{entry}: has tests; remove it from EXCEPTIONS in .ci/mirror.py"


def mirrored(source: str) -> str:
    """The file of tests of a source: `tests/a/test_b.py` for `a/b.py`."""
    folder, _, name = source.rpartition("/")
    return f"tests/{folder}/test_{name}"


def has_function(text: str) -> bool:
    """Whether a file of Python has a function with a body: more than a docstring or `...`."""
    return any(
        not isinstance(statement, ast.Expr) or not isinstance(statement.value, ast.Constant)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for statement in node.body
    )


def benchmark_folders(files: Collection[str]) -> set[str]:
    """The folders of benchmarks that hold code, such as `benchmarks/delay/`."""
    parts = [file.split("/") for file in files if file.startswith("benchmarks/")]
    return {"/".join(part[:2]) + "/" for part in parts if len(part) > 2 and part[-1] != "__init__.py"}


def has_tests(folder: str, files: Collection[str]) -> bool:
    """Whether there is a file of tests in the folder's mirror."""
    return any(file.startswith(f"tests/{folder}test_") for file in files)


def main(files: list[str]) -> int:
    """Print the problems of all files; return the exit code."""
    found = list(problems(frozenset(files)))
    for problem in found:
        print(problem, file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
