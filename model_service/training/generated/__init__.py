"""Generated series, so that a model can be trained without user data; pure."""
