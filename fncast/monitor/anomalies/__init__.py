"""How unusual the readings of a series are."""
