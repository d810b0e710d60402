"""Runs a fncast command that ends when the process that started it is gone.

`python -m demo.child COMMAND …` with a pipe on stdin whose other end the parent holds: however the parent ends, its end
closes then. That works on every system; Linux's PR_SET_PDEATHSIG does not.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time

END_S = 3.0  # for a clean end; the parent is gone, so nobody waits longer


def end_with_parent() -> None:
    """Ask this process to end once stdin is at its end, and make it end if it does not."""

    def watch() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(END_S)
        os._exit(1)

    threading.Thread(target=watch, name="end-with-parent", daemon=True).start()


def main() -> int:
    end_with_parent()
    from fncast.cli import main as command_line

    return command_line.main(sys.argv[1:])


if __name__ == "__main__":
    sys.exit(main())
