"""``python -m softalign`` is the command ``softalign``."""

import sys

from softalign.cli import main

if __name__ == "__main__":
    sys.exit(main())
