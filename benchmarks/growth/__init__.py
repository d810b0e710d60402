"""How fncast grows: with latency, size, partitions, processes and series; its memory and its cost."""
