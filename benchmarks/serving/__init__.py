"""The model service and its protocols, alone."""
