"""Translates errors of other libraries into plain sentences for users."""
