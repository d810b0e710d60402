"""Assembles single readings into windows: one window per series, on the grid of its step. Pure; no Kafka, no clock."""
