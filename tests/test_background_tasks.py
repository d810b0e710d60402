"""Each background task and thread has a test in which it fails: it starts again with a log line, or the process ends.

The table names each place in the long-running processes that starts one. A new place needs a line here.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
# The processes that run until they are stopped: consumer, monitor, function host, model service, live page.
SOURCES = (
    "consumer",
    "interceptor",
    "functions",
    "model_service/serving",
    "model_service/protocols",
    "fncast/http",
    "fncast/dashboard",
    "fncast/monitor",
    "fncast/cli/process/service.py",
)
STARTS = ("create_task", "ensure_future", "run_coroutine_threadsafe", "Thread", "ThreadPoolExecutor", "Timer")
CLOSES = "closes a replaced client, then ends; Python prints an error of it"

# By file and function: the tests in which what it starts fails, one for each start.
PLACES: dict[str, tuple[str, ...]] = {
    "consumer/lanes/batches.py:_start": (
        "test_the_next_consumer_reads_again_what_an_exception_left_unfinished",
    ),
    "consumer/kafka/source/source.py:close": (CLOSES,),
    "consumer/kafka/source/source.py:replace_client": (CLOSES,),
    "consumer/kafka/timeouts.py:submit": ("test_run_raises_what_the_call_raises",),
    "consumer/service.py:run": (
        "test_the_end_of_the_loops_thread_ends_the_service",
        "test_a_task_that_fails_is_logged_and_the_service_continues",  # the report of outages
        "test_a_task_that_fails_is_logged_and_the_service_continues",  # the check of routes
    ),
    "consumer/state/restorer.py:submit": ("test_an_error_of_an_interceptor_ends_the_consumer",),
    "fncast/cli/process/service.py:run_service": (
        "test_the_consumer_stops_if_its_listener_stops",
        "test_an_error_in_the_consumer_is_one_sentence",
        "test_the_report_of_rules_that_fails_is_logged_and_begins_again",
    ),
    "fncast/dashboard/kafka/reader.py:__init__": ("test_reading_continues_after_an_unexpected_error",),
    "fncast/dashboard/kafka/reader.py:_renew": (CLOSES,),
    "fncast/dashboard/updater.py:running": ("test_updates_continue_after_an_unexpected_error",),
    "functions/host/child.py:end_with_host": ("test_functions_end_with_a_killed_host",),
    "functions/host/pool.py:start": ("test_no_error_ends_the_task_that_keeps_a_process_running",),
    "functions/host/process.py:start_process": ("test_the_output_is_shown_again_after_an_unexpected_error",),
    "interceptor/builtin/deadline.py:skip_expired": (
        "test_an_error_of_the_task_is_raised_once_the_call_has_ended",
    ),
    "interceptor/routes/route_state.py:record_failure": ("test_a_bug_in_a_probe_is_raised",),
    "model_service/protocols/open_inference/grpc_server.py:start": (
        "test_a_server_that_terminates_is_restarted",
    ),
    "model_service/serving/large_requests.py:start": (
        "test_a_failed_or_cancelled_large_request_ends_at_once",
    ),
    "model_service/serving/server.py:_lifespan": (
        "test_it_watches_until_shutdown_and_survives_a_failed_refresh",
    ),
    "model_service/serving/server.py:_watch": ("test_a_model_that_cannot_be_closed_is_logged",),
    "model_service/serving/worker.py:__init__": ("test_a_job_that_raises_does_not_end_the_thread",),
}


def test_each_task_and_thread_has_a_test_in_which_it_fails() -> None:
    assert dict(starts()) == {place: len(tests) for place, tests in PLACES.items()}


def test_the_tests_of_the_table_exist() -> None:
    text = "\n".join(file.read_text("utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    named = {test for tests in PLACES.values() for test in tests} - {CLOSES}
    assert named <= set(re.findall(r"^(?:async )?def (test_\w+)\(", text, re.MULTILINE))


def starts() -> Counter[str]:
    """How many tasks and threads each function starts, by file and function."""
    found: Counter[str] = Counter()
    for source in SOURCES:
        path = ROOT / source
        for file in path.rglob("*.py") if path.is_dir() else [path]:
            text = file.read_text("utf-8")
            if any(name in text for name in STARTS):
                name = file.relative_to(ROOT).as_posix()
                found.update(f"{name}:{function}" for function in _functions(ast.parse(text)))
    return found


def _functions(node: ast.AST, function: str = "") -> Iterator[str]:
    """The innermost function of each call that starts a task or a thread."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            called = child.func
            if (called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", "")) in STARTS:
                yield function
        inner = child.name if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) else function
        yield from _functions(child, inner)
