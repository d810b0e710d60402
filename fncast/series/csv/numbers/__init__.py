"""Parses columns of numbers with their decimal signs, units and markers for missing readings."""
