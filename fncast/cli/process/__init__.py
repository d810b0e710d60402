"""What surrounds the work of a command: logging, signals, native output, and services that run until a signal."""
