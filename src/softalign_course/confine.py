"""What is taken from a process before it runs unknown code, and how it is ended afterwards.

Linux only, except for the limits and the ending. This file also runs inside the sandbox, on its
own: it imports nothing of the package.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import resource

__all__ = [
    "adopt_orphans",
    "die_with_parent",
    "drop_capabilities",
    "end",
    "limits",
    "measure_memory",
    "new_namespaces",
    "private_folders",
    "used_up",
]

MOST_FILE = 16 * 2**20
MOST_PROCESSES = 48
MEMORY = 1536 * 2**20
NOBODY = 65534

CLONE_NEWNS, CLONE_NEWIPC, CLONE_NEWUSER, CLONE_NEWPID = 0x20000, 0x8000000, 0x10000000, 0x20000000
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REC, MS_PRIVATE = 2, 4, 8, 0x4000, 0x40000
PR_SET_PDEATHSIG, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 1, 4, 24
PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 36, 38


_libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _must(result: int) -> None:
    if result != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def new_namespaces() -> None:
    """Leave the namespaces of the other answers; raise OSError where the kernel refuses."""
    uid, gid = os.getuid(), os.getgid()
    if uid == 0:  # so that limits hold, and so that no file of root is ours
        os.setgroups([])
        os.setresgid(NOBODY, NOBODY, NOBODY)
        os.setresuid(NOBODY, NOBODY, NOBODY)
        _must(_libc.prctl(PR_SET_DUMPABLE, 1, 0, 0, 0))
        uid = gid = NOBODY
    _must(_libc.unshare(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWIPC))
    for name, text in (
        ("setgroups", "deny"),
        ("uid_map", f"{uid} {uid} 1"),
        ("gid_map", f"{gid} {gid} 1"),
    ):
        with open(f"/proc/self/{name}", "w") as file:
            file.write(text)


def private_folders(below_tmp: dict[str, str]) -> None:
    """Hide /proc and /tmp of the others behind empty folders of our own.

    What Python needs below /tmp is a link there to where it is held as well.
    """
    _must(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None))
    flags = MS_NOSUID | MS_NODEV | MS_NOEXEC
    _must(_libc.mount(b"tmpfs", b"/proc", b"tmpfs", flags, b"size=4k,mode=555"))
    _must(_libc.mount(b"tmpfs", b"/tmp", b"tmpfs", flags, b"size=64m,mode=1777"))
    for path, held in below_tmp.items():
        os.makedirs(os.path.dirname(path), exist_ok=True)
        os.symlink(held, path)
    if os.path.isdir("/dev/shm"):
        _must(_libc.mount(b"tmpfs", b"/dev/shm", b"tmpfs", flags, b"size=64m,mode=1777"))


def drop_capabilities() -> None:
    """Give up every capability for good: what is mounted stays mounted."""
    for capability in range(64):
        _libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    _must(_libc.capset(header, (ctypes.c_uint32 * 6)()))
    _must(_libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))


def limits(seconds: float) -> None:
    """Limit processor time, memory, and the number and size of files and processes."""
    import resource

    def limit(what: str, soft: int, hard: int | None = None) -> None:
        kind = getattr(resource, what, None)
        if kind is None:
            return
        top = resource.getrlimit(kind)[1]
        most = soft if hard is None else hard
        if top != resource.RLIM_INFINITY:
            soft, most = min(soft, top), min(most, top)
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(kind, (soft, most))

    limit("RLIMIT_CPU", int(seconds) + 1, int(seconds) + 2)
    limit("RLIMIT_FSIZE", MOST_FILE)
    limit("RLIMIT_NOFILE", 128)
    limit("RLIMIT_CORE", 0)
    limit("RLIMIT_NPROC", MOST_PROCESSES)
    if sys.platform == "linux":
        limit("RLIMIT_AS", _MEMORY_AT_START + MEMORY)


_MEMORY_AT_START = 0


def measure_memory() -> None:
    """Note what the process needs before it runs anything: the limit is set on top of that."""
    global _MEMORY_AT_START
    with contextlib.suppress(OSError), open("/proc/self/statm") as file:
        _MEMORY_AT_START = int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def adopt_orphans() -> None:
    """Become the parent of whatever the answer leaves behind."""
    if _libc is not None:
        _libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def die_with_parent() -> None:
    """Ask the kernel to end this process when its parent ends."""
    if _libc is not None:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def used_up(status: int, used: resource.struct_rusage, seconds: float) -> bool:
    """Whether the kernel ended a process for want of processor time: what `limits` allows it."""
    ended = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    spent = used.ru_utime + used.ru_stime  # to a tick of the clock
    return ended in (signal.SIGXCPU, signal.SIGKILL) and spent > int(seconds) + 0.9


def end(child: int, apart: bool, seconds: float) -> bool:
    """Kill the child (0: it has ended) and all that it started; return whether it was late."""
    late = False
    if child:
        # the kernel ends every process of the namespace with its first one
        with contextlib.suppress(ProcessLookupError):
            if not apart:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(child, signal.SIGKILL)
            os.kill(child, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
        late = used_up(status, used, seconds)
    for _ in range(100):  # orphans come to us: end them too, and theirs
        left = _children(os.getpid())
        if not left:
            break
        for pid in left:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, 0)
    return late


def _children(pid: int) -> list[int]:
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as file:
            return [int(number) for number in file.read().split()]
    except OSError:
        return []
