"""Reads series from files of readings: CSV and its relatives, in any layout that people and programs write."""
