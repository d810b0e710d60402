"""Finds the role of each column of a CSV file: times, values, names of series."""
