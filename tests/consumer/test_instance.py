"""Names of replicas on one host."""

from __future__ import annotations

import socket
import subprocess
import sys
import uuid

import pytest

from consumer.instance import Instance
from consumer.settings import KafkaSettings

HOST = socket.gethostname()

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="names need abstract sockets")


@pytest.fixture
def kafka():
    return KafkaSettings(group_id=f"group-{uuid.uuid4().hex}")


@pytest.mark.guarantee("consumers on one host do not end each other's transactions")
def test_consumers_of_a_group_on_one_host_have_different_names_that_are_free_again(kafka):
    first, second, third = (Instance(kafka) for _ in range(3))
    assert [first.name, second.name, third.name] == [HOST, f"{HOST}-2", f"{HOST}-3"]
    second.release()
    assert Instance(kafka).name == f"{HOST}-2"
    assert Instance(KafkaSettings(group_id=kafka.group_id + "-other")).name == HOST


def test_a_killed_consumer_frees_its_name(kafka):
    code = f"""
import os, signal
from consumer.instance import Instance
from consumer.settings import KafkaSettings
taken = Instance(KafkaSettings(group_id={kafka.group_id!r}))
print(taken.name, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == f"{HOST}\n"
    assert Instance(kafka).name == HOST


def test_a_configured_name_is_used_as_it_is(kafka):
    named = KafkaSettings(group_id=kafka.group_id, instance="pod-0")
    assert [Instance(named).name for _ in range(2)] == ["pod-0"] * 2
