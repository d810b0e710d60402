"""A short chaos run, crashes at named points, and that the checker notices two deliberate bugs."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
RUN_S = 170


def real(test):
    """A test that runs the whole of it, on containers."""
    for mark in (
        pytest.mark.integration,
        pytest.mark.docker,
        pytest.mark.slow,
        pytest.mark.timeout(RUN_S + 20),
    ):
        test = mark(test)
    return test


def load(name: str):
    spec = importlib.util.spec_from_file_location(f"chaos_{name}", HERE / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def engine() -> None:
    try:
        import docker

        docker.from_env().ping()
    except Exception as error:
        if os.environ.get("FNCAST_REQUIRE_DOCKER") == "1":
            raise
        pytest.skip(f"needs a Docker engine: {str(error)[:120]}")


def run(*words: str) -> tuple[int, dict]:
    engine()
    done = subprocess.run(
        [sys.executable, str(HERE / "run.py"), *words], capture_output=True, text=True, timeout=RUN_S
    )
    assert done.stdout, done.stderr[-3000:]
    return done.returncode, json.loads(done.stdout.splitlines()[-1])


@real
@pytest.mark.parametrize("words", [("--kills", "5", "--seed", "3")], ids=["5 kills"])
def test_nothing_is_lost_repeated_or_out_of_order(words):
    code, found = run(*words)
    assert code == 0, found
    assert found["dead_letters"] > 0


@real
@pytest.mark.parametrize(
    ("bug", "words", "wrong"),
    [
        ("commit-before-publish", ["--crash", "before-offsets:4"], ["lost"]),
        ("no-fencing", ["--freeze", "before-offsets:4"], ["repeated", "out_of_order"]),
    ],
)
def test_the_checker_notices_a_bug(bug, words, wrong):
    code, found = run("--bug", bug, "--kills", "0", "--events", "2000", "--patience", "25", *words)
    assert code == 1
    assert sum(found[kind] for kind in wrong) > 0


@real
@pytest.mark.parametrize(
    "words",
    [
        ("--crash", "after-produce:100"),
        ("--crash", "before-commit:4"),
        ("--crash", "after-commit:4"),
        ("--crash", "during-revoke:1"),
        ("--freeze", "before-offsets:4"),
        ("--freeze", "before-commit:4"),
    ],
    ids=" ".join,
)
def test_a_crash_or_a_freeze_at_a_named_point(words):
    code, found = run("--kills", "0", "--events", "2000", *words)
    assert code == 0, found


EVENTS = [
    {"id": "a:0", "key": "a", "is_poison": False},
    {"id": "a:1", "key": "a", "is_poison": False},
    {"id": "b:2", "key": "b", "is_poison": True},
]


@pytest.mark.parametrize(
    ("forecasts", "letters", "wrong"),
    [
        (["a:0", "a:1"], ["b:2"], set()),
        (["a:0"], ["b:2"], {"lost"}),
        (["a:0", "a:1"], [], {"lost"}),
        (["a:0", "a:1", "a:1"], ["b:2"], {"repeated"}),
        (["a:1", "a:0"], ["b:2"], {"out_of_order"}),
        (["a:0", "a:1"], ["b:2", "a:1"], {"wrongly_refused"}),
        (["a:0", "a:1", "c:9"], ["b:2"], {"unknown"}),
    ],
)
def test_the_checker_tells_what_is_wrong(forecasts, letters, wrong):
    def keyed(ids):
        return [(id_.split(":")[0], id_) for id_ in ids]

    found = load("check").check(EVENTS, keyed(forecasts), keyed(letters))
    assert {kind for kind, ids in found.items() if ids} == wrong
