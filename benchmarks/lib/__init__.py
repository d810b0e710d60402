"""Shared by the measurements: broker, load, meter, rounds, reports."""
