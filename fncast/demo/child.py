"""Runs an fncast command that ends when its parent process ends.

Usage: `python -m fncast.demo.child COMMAND …` with a pipe as stdin. The parent holds the other end of the pipe. The
system closes it when the parent ends for any reason. Unlike Linux's PR_SET_PDEATHSIG, this works everywhere.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

END_S = 3.0  # time for a clean shutdown


def end_with_parent() -> None:
    """Send this process SIGTERM when stdin is closed, and exit END_S later if it is still running."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(END_S)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def main() -> int:
    """Run the command in the arguments. Returns its exit code."""
    end_with_parent()
    from fncast.cli import main as command_line

    return command_line.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
