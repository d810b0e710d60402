"""CallWorker: one thread for all calls, until a call hangs."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Iterator

import pytest
from confluent_kafka import KafkaError, KafkaException

from consumer.kafka.timeouts import CallWorker


@pytest.fixture
def worker() -> Iterator[CallWorker]:
    worker = CallWorker("test")
    yield worker
    worker.close()


def thread_of(worker: CallWorker) -> threading.Thread:
    threads: list[threading.Thread] = []
    worker.run(lambda: threads.append(threading.current_thread()), 5)
    return threads[0]


def test_run_raises_what_the_call_raises(worker: CallWorker) -> None:
    def fail() -> None:
        raise KafkaException(KafkaError(KafkaError._FENCED, "fenced"))

    with pytest.raises(KafkaException, match="fenced"):
        worker.run(fail, 5)


def test_all_calls_share_one_thread(worker: CallWorker) -> None:
    assert thread_of(worker) is thread_of(worker)


def test_a_call_that_hangs_costs_its_thread_and_the_next_call_gets_a_new_one(worker: CallWorker) -> None:
    first, may_end = thread_of(worker), threading.Event()
    with pytest.raises(KafkaException) as raised:
        worker.run(lambda: may_end.wait(), 0.01, late_s=0.0)
    assert raised.value.args[0].code() == KafkaError._TIMED_OUT
    assert thread_of(worker) is not first
    assert first.is_alive()
    may_end.set()
    first.join(5)
    assert not first.is_alive(), "an abandoned thread ends with its call"


def test_close_ends_the_thread(worker: CallWorker) -> None:
    thread = thread_of(worker)
    worker.close()
    thread.join(5)
    assert not thread.is_alive()


def test_an_idle_thread_holds_no_client(worker: CallWorker) -> None:
    class Client:
        def call(self) -> None: ...

    client = Client()
    gone = threading.Event()
    weakref.finalize(client, gone.set)
    worker.run(client.call, 5)
    del client
    assert gone.wait(5)
