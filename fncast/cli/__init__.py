"""The command line. `commands/` has one module for each command. This package may import all others."""
