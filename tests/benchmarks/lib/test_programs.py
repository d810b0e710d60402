from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.delay import delay
from benchmarks.lib.broker import PARTITIONS
from benchmarks.lib.programs import AT_LEAST, EXACTLY, FncastPipeline, RunTopics
from benchmarks.pipelines import peer_programs
from benchmarks.pipelines.peer_programs import Peer, peers
from consumer.kafka.publishers import at_least_once, exactly_once
from consumer.settings import load


def test_fncast_accepts_the_settings_of_a_run(tmp_path: Path) -> None:
    pipeline = FncastPipeline(
        EXACTLY,
        tmp_path,
        consumer_count=2,
        settings={"fn": {"calls_in_flight": 16}},
        function_url="http://127.0.0.1:1/slow",
    )
    assert pipeline.services() == []
    programs = pipeline.consumers("127.0.0.1:9", RunTopics("group", "in", "out", "dead"), tmp_path)
    files = [Path(program.argv[-1]) for program in programs]
    first, second = (load(file, environ={}) for file in files)
    assert (first.kafka.input_topics, first.kafka.output_topic, first.kafka.delivery) == (
        ("in",),
        "out",
        EXACTLY,
    )
    assert first.fn.calls_in_flight == 16
    assert first.kafka.instance != second.kafka.instance
    assert first.admin.port != second.admin.port
    assert "http://127.0.0.1:1/slow" in str(first.routes["forecast"])


@pytest.mark.parametrize(
    ("delivery", "commit_s"), [(AT_LEAST, at_least_once.COMMIT_S), (EXACTLY, exactly_once.COMMIT_S)]
)
def test_peers_commit_as_often_as_fncast_when_delay_is_measured(delivery: str, commit_s: float) -> None:
    peers = [peer for peer in delay.pipelines(Path(), Path()) if isinstance(peer, Peer)]
    assert {peer.commit_s for peer in peers if peer.delivery == delivery} == {commit_s}


def test_processes_of_one_peer_share_a_group_and_no_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(peer_programs, "python_of", lambda name: Path(name))
    [several] = [peer for peer in peers(tmp_path) if "processes" in peer.name]
    programs = several.consumers("127.0.0.1:9", RunTopics("group", "in", "out", "dead"), tmp_path)
    assert len(programs) == PARTITIONS
    assert len({program.argv[-1] for program in programs}) == PARTITIONS
    assert {program.argv[3] for program in programs} == {"group"}
