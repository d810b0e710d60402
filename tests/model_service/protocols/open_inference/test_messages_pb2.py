from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from model_service.protocols.open_inference import messages_pb2

ROOM = Path(messages_pb2.__file__).parent


def test_the_generated_code_matches_the_proto_file(tmp_path: Path) -> None:
    """`make protocol` generates the code."""
    root = ROOM.parents[2]
    command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{root}", f"--python_out={tmp_path}"]
    command += [f"--pyi_out={tmp_path}", str(ROOM / "messages.proto")]
    subprocess.run(command, check=True, timeout=60, cwd=root)
    for name in ("messages_pb2.py", "messages_pb2.pyi"):
        created = next(tmp_path.rglob(name))
        assert created.read_text() == (ROOM / name).read_text(), name
