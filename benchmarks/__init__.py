"""Measurements, run by hand: `python -m benchmarks.NAME`. Figures are worth only what the run beside them is worth."""
