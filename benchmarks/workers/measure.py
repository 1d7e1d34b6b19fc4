"""Run a command and write what it cost: ``measure.py RESULT COMMAND ...``.

A child starts with its parent's memory on its account. This process is small, so the peak that the
system reports for its child is the child's own.
"""

import json
import resource
import subprocess
import sys
import time

begin = time.perf_counter()
status = subprocess.run(sys.argv[2:]).returncode
wall = time.perf_counter() - begin
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump(
        {
            "status": status,
            "wall": wall,
            "cpu": used.ru_utime + used.ru_stime,
            "peak": used.ru_maxrss * (1 if sys.platform == "darwin" else 1024),
        },
        file,
    )
