"""Where readings come from: CSV files, this machine, a generated shop; published as CloudEvents."""
