"""The clean-up policy of the state topic."""

from __future__ import annotations

import pytest

from consumer.kafka.topics.compaction import compaction_problem
from tests.consumer.kafka.fake_admin import FakeAdmin


@pytest.mark.parametrize("policy", ["compact", "compact,delete"])
def test_a_compacted_topic_is_right(policy: str) -> None:
    admin = FakeAdmin()
    admin.configs["state"] = {"cleanup.policy": policy}
    assert compaction_problem(admin, "state") is None


def test_a_topic_whose_records_are_deleted_by_age_is_named_with_its_fix() -> None:
    admin = FakeAdmin()
    admin.configs["state"] = {"cleanup.policy": "delete"}
    problem = compaction_problem(admin, "state")
    assert problem is not None
    assert problem.reason.startswith("the topic 'state' has cleanup.policy=delete")
    assert problem.fix.endswith("--entity-name state --add-config cleanup.policy=compact")
    assert str(problem) == f"{problem.reason}. Fix it with {problem.fix}"


def test_a_broker_that_does_not_report_the_policy_is_accepted() -> None:
    assert compaction_problem(FakeAdmin(), "state") is None
