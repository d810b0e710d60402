"""The words in which errors of other libraries reach a user."""
