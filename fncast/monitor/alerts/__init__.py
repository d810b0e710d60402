"""Thresholds that series are expected to cross."""
