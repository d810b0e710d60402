"""Measures the way of single readings: their rate, their cost, their delay, and what a restart takes."""
