"""The thread of a model."""

from __future__ import annotations

import threading

import pytest

from model_service.serving.worker import ModelWorker


def test_a_job_that_raises_does_not_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    worker = ModelWorker()

    def fail() -> None:
        raise SystemExit(1)

    done = threading.Event()
    worker.do(fail)
    worker.do(done.set)
    assert done.wait(10)
    assert "a job of a model's thread failed" in caplog.text
    worker.end()
