"""The forecast function's modules, importable as the FDK makes them: from the function's own folder."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "functions" / "forecast"))
