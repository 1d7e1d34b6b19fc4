"""The bubblewrap command: what the inside of the sandbox sees."""

from __future__ import annotations

import importlib.util
import os
import site
import sys
import sysconfig
from pathlib import Path

__all__ = ["below_tmp", "command"]

HERE = Path(__file__).resolve().parent


def command() -> list[str]:
    """The words before the program's own."""
    words = ["bwrap", "--die-with-parent", "--new-session", "--cap-drop", "ALL"]
    if os.geteuid() == 0:  # the worker gives root up itself, once torch is imported
        words += ["--unshare-ipc", "--unshare-pid", "--unshare-net", "--unshare-uts"]
        words += ["--unshare-cgroup-try", "--cap-add", "CAP_SETUID", "--cap-add", "CAP_SETGID"]
    else:
        words += ["--unshare-all"]
    words += ["--hostname", "sandbox"]
    # the empty folders first: what is needed may lie below /tmp
    words += ["--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/dev/shm"]
    folders = _needed()
    held = [*zip(folders, folders, strict=True), *below_tmp().items()]
    above = {str(parent) for _, inside in held for parent in Path(inside).parents}
    for folder in sorted(above - {"/"} - set(folders)):  # else only root could pass through them
        words += ["--perms", "0755", "--dir", folder]
    for folder, inside in held:
        words += ["--ro-bind", folder, inside]
        for hidden in _hidden(folder):
            words += ["--tmpfs", os.path.join(inside, hidden)]
    words += ["--perms", "0755", "--dir", "/grader"]
    for name in ("wire.py", "confine.py", "worker.py"):
        words += ["--ro-bind", str(HERE / name), f"/grader/{name}"]
    return [*words, "--chdir", "/", "--"]


def _needed() -> list[str]:
    """What an answer needs: the system's libraries, Python and its packages."""
    folders = ["/usr", "/lib", "/lib32", "/lib64", "/bin", "/sbin", "/etc/ld.so.cache"]
    folders += [sys.base_prefix, sys.base_exec_prefix]
    packages = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    packages.update(path for path in [*site.getsitepackages(), site.getusersitepackages()])
    folders += sorted(path for path in packages if os.path.isdir(path))
    folders += [os.path.join(sys.prefix, "pyvenv.cfg"), os.path.join(sys.prefix, "bin")]
    return [folder for folder in dict.fromkeys(folders) if os.path.exists(folder)]


def below_tmp() -> dict[str, str]:
    """Where else the sandbox holds what lies below /tmp, which each answer has for itself."""
    below = [folder for folder in _needed() if folder.startswith("/tmp/")]
    return {folder: f"/below-tmp/{number}" for number, folder in enumerate(below)}


def _hidden(folder: str) -> list[str]:
    """Folders of the book inside a folder that the sandbox sees, as paths from there."""
    found = []
    for package in ("softalign", "softalign_course"):
        spec = importlib.util.find_spec(package)
        for place in (spec.submodule_search_locations or []) if spec else []:
            if Path(place).resolve().is_relative_to(Path(folder).resolve()):
                found.append(os.path.relpath(Path(place).resolve(), Path(folder).resolve()))
    return found
