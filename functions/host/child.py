"""The main module of a function's process: runs the FDK and ends with the host.

`process.py` runs it as `python -P child.py func.py handler` in the function's folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import threading
from pathlib import Path


def end_with_host() -> None:
    """Start a thread that ends this process when the host ends, even if the host is killed.

    The host holds the other end of the pipe on stdin, which closes with the host.
    """

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
    """Run the FDK until the host ends or stops this process."""
    end_with_host()
    sys.modules["uvloop"] = None  # type: ignore[assignment]  # the FDK would use it and then fail to start
    from fdk.scripts import fdk

    sys.argv[0] = "fdk"
    try:
        fdk.main()
    except RuntimeError as error:
        # On SIGTERM the FDK leaves its event loop with this error. A stack trace would only confuse.
        if "Event loop stopped" not in str(error):
            raise


if __name__ == "__main__":
    main()
