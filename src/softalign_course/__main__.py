"""``python -m softalign_course``."""

import sys

from softalign_course.cli import main

sys.exit(main())
