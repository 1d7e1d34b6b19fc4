"""Start the server of one student of a hub: fill the student's folder, limit memory, hand over.

The hub starts this as the student, so nothing here has more rights than the student has. Files that
are there are left alone: a student's changes are never overwritten, what was deleted comes back.
"""

import os
import shutil
import sys
from pathlib import Path

try:
    import resource
except ImportError:  # Windows, where there is no hub
    resource = None


def fill(source: Path, target: Path) -> int:
    """Copy what the target does not have; return how many files that were."""
    count = 0
    for path in sorted(source.rglob("*")):
        place = target / path.relative_to(source)
        if path.is_dir():
            place.mkdir(parents=True, exist_ok=True)
        elif not place.exists() and not place.is_symlink():
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)
            count += 1
    return count


def limit(megabytes: int) -> None:
    """Let no process of this student have more private memory: it gets a MemoryError instead."""
    if resource and megabytes:
        size = megabytes * 1_000_000
        resource.setrlimit(resource.RLIMIT_DATA, (size, size))


def main() -> None:
    """Prepare, and become the server."""
    folder = Path(os.environ["SOFTALIGN_FOLDER"]).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    fill(Path(os.environ["SOFTALIGN_HANDOUT"]), folder)
    limit(int(os.environ.get("SOFTALIGN_MEMORY", "0")))
    os.chdir(folder)
    os.execv(sys.executable, [sys.executable, "-m", "jupyterhub.singleuser", *sys.argv[1:]])


if __name__ == "__main__":
    main()
