"""`python -m fncast`: the command line."""

import sys

from fncast.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
