"""The pace of commits: when the next one is due, and when results may be published; pure: the clock is passed in."""

from __future__ import annotations

from collections.abc import Callable

# The pause after a commit, as a multiple of its duration; at most MAX_PAUSE_S. Nothing is published during a commit, so
# this bounds the share of lost time. Under load commits take longer, so more results share one commit.
PAUSE_RATIO = 1.5
MAX_PAUSE_S = 0.05
# A commit costs the broker the same CPU time however many results it holds. So under a backlog a commit waits a little
# for each event that waits for its call.
WAIT_PER_EVENT_S = 50e-6
MAX_WAIT_S = 0.1
# The pause before undone results are published again; doubled each time in a row.
ABORT_PAUSE_S = 0.01
MAX_ABORT_PAUSE_S = 1.0


class CommitPace:
    """Owned by `Commits`, which reports when a commit begins and how it ends."""

    def __init__(self, clock_s: Callable[[], float]) -> None:
        """clock_s: monotonic, in seconds."""
        self._clock_s = clock_s
        self._began_at_s = self._ended_at_s = self._took_s = self._publish_at_s = 0.0
        self._undone = 0  # times in a row

    def began(self) -> None:
        """A commit begins."""
        self._began_at_s = self._clock_s()

    def ended(self, settle_s: float) -> None:
        """The commit has ended, whatever its result. settle_s: how long the publisher pauses before new results."""
        self._ended_at_s = self._clock_s()
        self._took_s = self._ended_at_s - self._began_at_s
        self._publish_at_s = self._ended_at_s + settle_s

    def succeeded(self) -> None:
        """Results are committed: the next time that results are undone counts as the first one."""
        self._undone = 0

    def undone(self, *, makes_progress: bool) -> None:
        """Published results were undone. They are published again after a pause.

        makes_progress: the next attempt differs from the last one, so it does not need a long pause.
        """
        self._undone = 1 if makes_progress else self._undone + 1
        pause_s = min(MAX_ABORT_PAUSE_S, ABORT_PAUSE_S * 2.0 ** min(self._undone, 10))
        self._publish_at_s = max(self._publish_at_s, self._clock_s() + pause_s)

    @property
    def is_failing(self) -> bool:
        """Whether results were undone, and no commit has succeeded since."""
        return self._undone > 0

    @property
    def running_s(self) -> float:
        """How long ago the last commit began, in seconds."""
        return self._clock_s() - self._began_at_s

    @property
    def publish_in_s(self) -> float:
        """Seconds until results may be published; 0 or less: now."""
        return self._publish_at_s - self._clock_s()

    def commit_in_s(self, interval_s: float, waiting: int) -> float:
        """Seconds until a commit is due; 0 or less: now.

        interval_s: the publisher's interval between commits. waiting: how many events wait for their call.
        """
        interval_s = max(interval_s, min(PAUSE_RATIO * self._took_s, MAX_PAUSE_S))
        wait_s = min(WAIT_PER_EVENT_S * waiting, MAX_WAIT_S)
        return self._ended_at_s + max(interval_s, wait_s) - self._clock_s()
