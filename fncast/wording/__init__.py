"""Plain sentences for users: errors of other libraries, and counts with their nouns."""
