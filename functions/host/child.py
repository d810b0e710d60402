"""The process of a function: the FDK's own entry point, tied to the life of the host.

Run by `process.py` as `python -P child.py func.py handler`, in the function's folder."""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from pathlib import Path


def end_with_host() -> None:
    """End this process when the host is gone, even if that was killed: its end of the pipe on stdin closes then."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 1024):
                pass
        socket_path = os.environ.get("FN_LISTENER", "").removeprefix("unix:")
        if socket_path:
            shutil.rmtree(Path(socket_path).parent, ignore_errors=True)
        os._exit(0)

    threading.Thread(target=wait, name="end-with-host", daemon=True).start()


def main() -> None:
    end_with_host()
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # the FDK would pick it up, and then not start
    from fdk.scripts import fdk

    sys.argv[0] = "fdk"
    try:
        fdk.main()
    except RuntimeError as error:
        # How the FDK leaves its event loop on SIGTERM; nobody needs to see a stack trace for it.
        if "Event loop stopped" not in str(error):
            raise


if __name__ == "__main__":
    main()
