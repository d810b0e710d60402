"""Measurements, run by hand: `python -m benchmarks PART`. Compare only figures of the same run."""
