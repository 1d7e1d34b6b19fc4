"""Build, test and serve the book. `make NAME` and `python tools/make.py NAME` are the same."""

# This file is started by whatever Python the machine has: it must be readable by an old one, to be
# able to say that it is too old. Nothing but the standard library is imported here.
import sys

if sys.version_info < (3, 11):
    import os

    for name in ("python3.11", "python3.12", "python3.13", "python3.14"):
        for folder in os.environ.get("PATH", "").split(os.pathsep):
            if os.access(os.path.join(folder, name), os.X_OK):
                os.execv(os.path.join(folder, name), [name] + sys.argv)
    sys.exit(
        "The book needs Python 3.11 or newer and this is Python %d.%d: "
        "say make PYTHON=/path/to/python3.11, or install one." % sys.version_info[:2]
    )

import argparse
import ast
import hashlib
import os
import platform
import shutil
import signal
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
BIN = VENV / ("Scripts" if os.name == "nt" else "bin")
PYTHON = BIN / ("python.exe" if os.name == "nt" else "python")
STAMP = VENV / "soft-alignment.stamp"
BUILD = ROOT / "_build"
SITE = BUILD / "html"
LOGS = BUILD / "logs"
BENCHMARKS = ROOT / "benchmarks"
PEERS = BUILD / "peers"
SITE_REPORT = ROOT / "tools" / "site_report"
LIGHTHOUSE = BUILD / "site-report"
# What the environment is made from: when one of these changes, it is brought up to date.
PINS = (
    "requirements.txt",
    "constraints.txt",
    "deploy/requirements.txt",
    "pyproject.toml",
    "package.json",
    "package-lock.json",
)
TORCH_CPU_INDEX = "https://download.pytorch.org/whl/cpu"
# Free space that an installation needs, in GB: with torch's CPU build, and with its CUDA build.
SPACE, SPACE_CUDA = 4, 12
# Every output compared; the kernels' own warnings are not ours to mend.
NBVAL = ("--nbval", "--nbval-cell-timeout=180", "-W", "default")
# As many processes as processors, each with whole files, whose fixtures are made once; no more than
# four, since each may hold a gigabyte.
PARALLEL = ("-n", str(min(4, os.cpu_count() or 1)), "--dist", "loadfile")
# Pages link to each other, from chapters/ to book/ too: the root is all of it.
LAB = ("--ServerApp.root_dir=.", "--LabApp.default_url=/lab/tree/book/intro.ipynb")
# Columns of code that a page shows beside its side bars.
PAGE_WIDTH = ("--line-length", "88")
NO_NETWORK = (
    "failed to establish a new connection",
    "temporary failure in name resolution",
    "name or service not known",
    "nodename nor servname",
    "getaddrinfo",
    "connection refused",
    "network is unreachable",
    "proxyerror",
    "read timed out",
    "connecttimeouterror",
    "eai_again",
    "enotfound",
    "econnrefused",
    "etimedout",
    # what pip says when no index answered
    "(from versions: none)",
)


class Stop(Exception):
    """One plain sentence for the reader; the command ends with `status`."""

    def __init__(self, sentence, status=1):
        super().__init__(sentence)
        self.status = status


def say(sentence):
    """Print one line at once."""
    print(sentence, flush=True)


def environment():
    """Return the environment that every command of the book runs in."""
    env = dict(os.environ)
    env["PATH"] = f"{BIN}{os.pathsep}{env.get('PATH', '')}"
    env["VIRTUAL_ENV"] = str(VENV)
    env.pop("PYTHONPATH", None)
    env.pop("PYTHONHOME", None)
    env.update(PYTHONHASHSEED="0", PYDEVD_DISABLE_FILE_VALIDATION="1", PYTHONUTF8="1")
    env["IPYTHONDIR"] = str(_ipython_folder())
    return env


def _ipython_folder():
    """A folder for IPython's own settings, so that a reader's profile cannot change an output."""
    profile = BUILD / "ipython" / "profile_default"
    config = profile / "ipython_kernel_config.py"
    if not config.exists():
        profile.mkdir(parents=True, exist_ok=True)
        # the kernel warns at each start that it talks over loopback unencrypted, at each end
        # that it was interrupted
        config.write_text("c.IPKernelApp.log_level = 50\n", encoding="utf-8")
    return BUILD / "ipython"


def run(*command, **options):
    """Run a command of the environment in the root folder; stop when it fails."""
    done = subprocess.run(
        [str(part) for part in command], cwd=ROOT, env=options.pop("env", environment()), **options
    )
    if done.returncode:
        name = " ".join(
            Path(str(part)).name if part is command[0] else str(part) for part in command
        )
        raise Stop(f"'{name}' failed: the reason stands just before this line.", 1)
    return done


# --- the environment ------------------------------------------------------------------------------


def pins_digest():
    """Digest of all that the environment is made from, the Python version included."""
    digest = hashlib.sha256(f"{sys.version_info[:3]}{platform.machine()}".encode())
    for name in PINS:
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()


def set_up():
    """Make .venv, or bring it up to date; leave nothing half-made behind."""
    if STAMP.exists() and STAMP.read_text() == pins_digest() and PYTHON.exists():
        return
    fresh = not PYTHON.exists()
    free = shutil.disk_usage(ROOT).free / 1e9
    if fresh and free < SPACE:
        raise Stop(
            f"The environment needs {SPACE} GB of disk and {free:.1f} GB are free: make room first."
        )
    say(f"Setting up .venv with Python {platform.python_version()} (a few minutes) …")
    begin = time.perf_counter()
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "install.log"
    log.write_text("")
    try:
        if fresh:
            shutil.rmtree(VENV, ignore_errors=True)
            _logged(log, sys.executable, "-m", "venv", VENV)
        _install_torch(log)
        _logged(
            log, PYTHON, "-m", "pip", "install", "--progress-bar", "off", "-r", "requirements.txt"
        )
        if os.name == "posix":
            hub = ("--progress-bar", "off", "-r", "deploy/requirements.txt")
            _logged(log, PYTHON, "-m", "pip", "install", *hub)
        _install_katex(log)
    except BaseException as problem:
        if fresh:
            shutil.rmtree(VENV, ignore_errors=True)
        if isinstance(problem, KeyboardInterrupt):
            raise Stop("Interrupted; the unfinished environment was removed.", 130) from None
        raise
    STAMP.write_text(pins_digest())
    say(f"Set up in {time.perf_counter() - begin:.0f} s.")


def _logged(log, *command):
    """Run a step of the installation: a line of progress on the screen, everything in the log."""
    count = 0
    with log.open("a", encoding="utf-8") as file:
        child = subprocess.Popen(
            [str(part) for part in command],
            cwd=ROOT,
            env=dict(environment(), PIP_DISABLE_PIP_VERSION_CHECK="1", PIP_NO_INPUT="1"),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
        try:
            for line in child.stdout:
                file.write(line)
                if line.lstrip().startswith(("Collecting", "Installing collected", "Building")):
                    count += 1
                    _progress(f"  [{count}] {line.strip()}")
        except BaseException:
            child.kill()
            raise
        finally:
            _progress("")
    if child.wait():
        raise Stop(_why(log))


def _progress(line):
    if sys.stdout.isatty():
        width = shutil.get_terminal_size().columns - 1
        print("\r" + line[:width].ljust(width), end="" if line else "\r", flush=True)


def _why(log):
    """Say in one sentence why an installation step failed."""
    text = log.read_text(encoding="utf-8", errors="replace").lower()
    where = f"(details: {log.relative_to(ROOT)})"
    if "no space left" in text or "enospc" in text or "errno 28" in text:
        return f"The disk is full: make room (about {SPACE} GB) and try again {where}."
    if any(sign in text for sign in NO_NETWORK):
        return f"The package registry cannot be reached: the first set-up needs a network {where}."
    if "ensurepip" in text:
        return f"This Python cannot make virtual environments: install its venv package {where}."
    return f"The installation failed {where}."


def _torch_pin():
    for line in (ROOT / "requirements.txt").read_text().splitlines():
        if line.startswith("torch=="):
            return line.strip()
    raise Stop("requirements.txt has no line 'torch==…'.")


def _install_torch(log, python=PYTHON):
    """Install torch: on Linux PyTorch's own index first, whose build needs no gigabytes of CUDA."""
    if platform.system() != "Linux" or _installed(_torch_pin(), python):
        return
    pip = (python, "-m", "pip", "install", "--progress-bar", "off")
    try:
        say("Fetching PyTorch's CPU build (about 200 MB) from PyTorch's own index …")
        quick = ("--timeout", "15", "--retries", "0", "--no-deps")
        _logged(log, *pip, *quick, "--index-url", TORCH_CPU_INDEX, _torch_pin())
    except Stop:
        log.write_text("")
        free = shutil.disk_usage(ROOT).free / 1e9
        if platform.machine() == "x86_64" and free < SPACE_CUDA:
            raise Stop(
                "PyTorch's own index does not answer, and the ordinary index's build needs "
                f"{SPACE_CUDA} GB of disk where {free:.1f} GB are free: make room or try later."
            ) from None
        say("PyTorch's own index does not answer: taking the ordinary index's build (about 3 GB) …")


def _installed(pin, python=PYTHON):
    name, version = pin.split("==")
    code = f"import importlib.metadata as m; print(m.version({name!r}).split('+')[0])"
    done = subprocess.run([str(python), "-c", code], capture_output=True, text=True)
    return done.stdout.strip() == version


def _install_katex(log):
    """Fetch the formulas' style sheet and fonts with the pinned Node.js of the environment."""
    npm = BIN / ("npm.exe" if os.name == "nt" else "npm")
    _logged(log, npm, "ci", "--loglevel", "error")


# --- the commands ---------------------------------------------------------------------------------


def book():
    """Build the site into _build/html: executes what changed, and nothing else."""
    set_up()
    _build_site()
    say(f"The book is at {(SITE / 'index.html').as_uri()}")


def _build_site():
    begin = time.perf_counter()
    jupyter_book = BIN / ("jupyter-book.exe" if os.name == "nt" else "jupyter-book")
    try:
        run(jupyter_book, "build", ".", "-W", "-n", "--keep-going")
    except Stop:
        # Sphinx remembers the pages it has read, not what it complained of: read all of them again
        shutil.rmtree(BUILD / ".doctrees", ignore_errors=True)
        raise
    say(f"Built in {time.perf_counter() - begin:.0f} s.")


def test():
    """Lint, unit tests, doctests, every notebook with its outputs compared, the built site."""
    without_browser = os.environ.get("BROWSER") == "none"
    browser = None if without_browser else find_browser()
    if not (browser or without_browser):
        raise Stop(f"The tests of the site need a Chromium: {_browser_hint()}", 2)
    set_up()
    begin = time.perf_counter()
    pytest = (PYTHON, "-m", "pytest", "-p", "no:cacheprovider")
    lint()
    say("\n== the library ==")
    library = ("tests", "src/softalign", "--doctest-modules", "--ignore=tests/site")
    # one thread each: as many processes as processors, and some tests count processor seconds
    run(*pytest, *PARALLEL, *library, env=dict(environment(), OMP_NUM_THREADS="1"))
    say("\n== the notebooks, outputs compared ==")
    run(*pytest, *PARALLEL, *NBVAL, "book", "chapters")
    say("\n== the site ==")
    for folder in (BUILD / ".doctrees", SITE):
        shutil.rmtree(folder, ignore_errors=True)
    _build_site()
    env = dict(environment(), SOFTALIGN_BROWSER=browser or "")
    which = ("-m", "not browser") if without_browser else ()
    run(*pytest, *PARALLEL[:2], "tests/site", *which, env=env)
    say(f"\nAll tests passed in {time.perf_counter() - begin:.0f} s.")
    if without_browser:
        say("Not run, because BROWSER=none: the tests that open every page in a browser.")


def find_browser():
    """Return the path of a Chromium or Chrome, or None; $BROWSER names one."""
    named = os.environ.get("BROWSER", "")
    if "chrom" in named.lower():  # desktops set this variable too, to whatever browser they like
        found = shutil.which(named)
        if not found:
            raise Stop(f"BROWSER={named} is not a program on this machine.", 2)
        return found
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"):
        if shutil.which(name):
            return shutil.which(name)
    places = [
        "/Applications/Chromium.app/Contents/MacOS/Chromium",
        "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    ]
    for variable in ("PROGRAMFILES", "PROGRAMFILES(X86)", "LOCALAPPDATA"):
        if os.environ.get(variable):
            places.append(f"{os.environ[variable]}/Google/Chrome/Application/chrome.exe")
    return next((place for place in places if Path(place).exists()), None)


def _browser_hint():
    install = {
        "Darwin": "brew install --cask google-chrome",
        "Windows": "winget install Google.Chrome",
    }.get(platform.system(), "sudo apt-get install chromium")
    return f"install one with '{install}' (or say make test BROWSER=none)."


def lint():
    """Check the style of the code and the stored form of the notebooks."""
    set_up()
    say("== lint ==")
    for action in (("check",), ("format", "--check")):
        run(PYTHON, "-m", "ruff", *action, "--exclude", "*.ipynb", ".")
        run(PYTHON, "-m", "ruff", *action, *PAGE_WIDTH, "book", "chapters")
    run(PYTHON, "tools/notebooks.py", "check")


def serve():
    """Build the book and serve it on this machine until Ctrl-C."""
    book()
    import functools
    import http.server

    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=str(SITE))
    for port in range(8000, 8100):
        try:
            server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
        except OSError:
            continue
        say(f"Serving the book at http://127.0.0.1:{port}/ (Ctrl-C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            return
    raise Stop("No port between 8000 and 8099 is free.")


def dist():
    """Write the site, the book as a PDF and the notebooks, to hand out, into _build/dist."""
    browser = find_browser()
    if not browser:
        raise Stop(f"A Chromium prints the PDF: {_browser_hint().partition(' (')[0]}.", 2)
    book()
    run(PYTHON, "tools/dist.py", env=dict(environment(), SOFTALIGN_BROWSER=browser))


def slides():
    """Write slides for each chapter into _build/slides; they open without a network."""
    book()
    run(PYTHON, "tools/slides.py")


def lab():
    """Open JupyterLab on the book's first page."""
    set_up()
    run(PYTHON, "-m", "jupyterlab", *LAB)


def notebooks():
    """Run every notebook and store it in its normal form."""
    set_up()
    run(PYTHON, "tools/notebooks.py", "run")


def runs():
    """Train the stored runs that are missing or stale; each row is kept as soon as it is done."""
    set_up()
    names = os.environ.get("RUN", "").split()
    env = dict(environment(), OMP_NUM_THREADS="1")
    run(PYTHON, "-m", "softalign.runs", *names, env=env)


def pins():
    """Write constraints.txt anew from what is installed."""
    set_up()
    done = run(
        PYTHON, "-m", "pip", "freeze", "--exclude-editable", stdout=subprocess.PIPE, text=True
    )
    lines = [line.replace("+cpu", "") for line in done.stdout.splitlines()]
    head = "# All that requirements.txt brings along, at the version the book is tested with."
    (ROOT / "constraints.txt").write_text("\n".join([head, *lines]) + "\n")


def bench():
    """Measure the library beside its peers in one table (a quarter of an hour)."""
    set_up()
    _set_up_peers()
    wanted = os.environ.get("BENCH")
    texts = {path: path.read_text(encoding="utf-8") for path in sorted(BENCHMARKS.glob("*.py"))}
    names = ", ".join(path.stem for path in texts)
    if wanted and wanted not in names.split(", "):
        raise Stop(f"There is no benchmark {wanted}, only {names}.", 2)
    for script, text in texts.items():
        if (wanted or script.stem) != script.stem:
            continue
        if not wanted and _declared(text)["ON_REQUEST"]:
            continue
        say(f"\n== {script.stem} ==")
        options, missing = bench_options(text)
        if missing:
            say(f"Not run: it needs {' '.join(f'{name}=…' for name in missing)}.")
        else:
            _run_to_its_end(PYTHON, script, *options)


def _run_to_its_end(*command):
    """Run a benchmark; at Ctrl-C, which it hears too, wait until it has said what it has."""
    interrupts = []
    before = signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
    try:
        run(*command, env=dict(environment(), OMP_NUM_THREADS="1"))
    except Stop:
        if interrupts:
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.signal(signal.SIGINT, before)


def bench_options(text):
    """Options of a benchmark from the variables it declares, and those it needs and was not given.

    ``INPUTS`` and ``NEEDS`` of the script are tuples of names. ``make bench SOURCE=a`` becomes
    ``--source a`` for a script that has "SOURCE" in one of them.
    """
    declared = _declared(text)
    given = {
        name: os.environ[name]
        for name in (*declared["NEEDS"], *declared["INPUTS"])
        if os.environ.get(name)
    }
    options = []
    for name, value in given.items():
        options += ["--" + name.lower().replace("_", "-"), value]
    return options, [name for name in declared["NEEDS"] if name not in given]


def _declared(text):
    """What a benchmark says of itself: ``ON_REQUEST``, if it is run only when it is named."""
    declared = {"INPUTS": (), "NEEDS": (), "ON_REQUEST": False}
    for node in ast.parse(text).body:
        name = getattr(node.targets[0], "id", "") if isinstance(node, ast.Assign) else ""
        if name in declared:
            declared[name] = ast.literal_eval(node.value)
    return declared


def _set_up_peers():
    """Make an environment for what the library is compared with; go on without what fails."""
    pins = BENCHMARKS / "peers.txt"
    digest = hashlib.sha256(pins.read_bytes() + str(sys.version_info[:3]).encode()).hexdigest()
    stamp = PEERS / "soft-alignment.stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    say("Setting up the peers in _build/peers …")
    LOGS.mkdir(parents=True, exist_ok=True)
    log = LOGS / "peers.log"
    log.write_text("")
    shutil.rmtree(PEERS, ignore_errors=True)
    python = PEERS / BIN.name / PYTHON.name
    pip = (python, "-m", "pip", "install", "--progress-bar", "off", "-c", pins)
    peers, _ = pins.read_text(encoding="utf-8").split("\n\n", 1)  # then what they bring along
    complete = True
    wanted = [line for line in peers.splitlines() if not line.startswith("#")]
    try:
        _logged(log, sys.executable, "-m", "venv", PEERS)
        _install_torch(log, python)  # what Joey NMT asks for would bring gigabytes of CUDA
    except (Stop, OSError) as problem:
        say(f"Without peers: {problem}")
        return
    for line in wanted:
        try:
            _logged(log, *pip, line)
        except (Stop, OSError) as problem:
            say(f"Without {line}: {problem}")
            complete = False
    if complete:
        stamp.write_text(digest)


def site_report():
    """Measure every page of the site with Lighthouse; writes _build/site-report/index.html."""
    browser = find_browser()
    if not browser:
        hint = _browser_hint().split(" (or")[0]
        raise Stop(f"Lighthouse needs a Chromium: {hint}.", 2)
    book()
    _set_up_lighthouse()
    options = ["--site", SITE, "--tool", LIGHTHOUSE, "--browser", browser]
    if os.environ.get("FORM"):
        options += ["--form", os.environ["FORM"]]
    run(PYTHON, SITE_REPORT, *options, *os.environ.get("PAGE", "").split())


def _set_up_lighthouse():
    """Fetch Lighthouse as its lock file says, apart from what the book needs."""
    files = [SITE_REPORT / "package.json", SITE_REPORT / "package-lock.json", ROOT / ".npmrc"]
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    stamp = LIGHTHOUSE / "soft-alignment.stamp"
    if stamp.exists() and stamp.read_text() == digest:
        return
    say("Fetching Lighthouse into _build/site-report (about 180 MB of disk) …")
    for folder in (LOGS, LIGHTHOUSE):
        folder.mkdir(parents=True, exist_ok=True)
    log = LOGS / "lighthouse.log"
    log.write_text("")
    for path in files:
        shutil.copyfile(path, LIGHTHOUSE / path.name)
    npm = BIN / ("npm.exe" if os.name == "nt" else "npm")
    _logged(log, npm, "ci", "--loglevel", "error", "--prefix", LIGHTHOUSE)
    stamp.write_text(digest)


def clean():
    """Remove what the commands made, the environment included."""
    for folder in (BUILD, VENV, ROOT / "node_modules"):
        shutil.rmtree(folder, ignore_errors=True)
    for pattern in ("*.egg-info", "__pycache__", ".ipynb_checkpoints"):
        for folder in [*ROOT.rglob(pattern)]:
            shutil.rmtree(folder, ignore_errors=True)
    say("Removed _build, .venv and node_modules.")


COMMANDS = (
    book,
    test,
    serve,
    dist,
    slides,
    lab,
    notebooks,
    runs,
    lint,
    pins,
    bench,
    site_report,
    clean,
)


def _name(command):
    return command.__name__.replace("_", "-")


def usage():
    """Say what each command does."""
    say("Soft Alignment: make NAME, or python tools/make.py NAME, where NAME is one of")
    for command in COMMANDS:
        say(f"  {_name(command):<12} {command.__doc__}")
    say(
        "make bench STORE=1 stores the table for its page; ROUNDS=1 ONLY=ibm1,beam is a quick look."
    )
    say(
        "make bench BENCH=alignment SOURCE=file TARGET=file measures one thing on text of your own."
    )
    say("make runs RUN=char_lm trains one experiment; make runs RUN=--list says what is stored.")
    say("make site-report PAGE=rnn measures one page anew; FORM=mobile or desktop, one of the two.")
    say("make test BROWSER=none leaves out the tests that need a browser; BROWSER=/path names one.")


def main():
    """Run one command; return the exit status."""
    names = {_name(command): command for command in (*COMMANDS,)}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("command", nargs="?", default="help", choices=["help", *names])
    command = parser.parse_args().command
    try:
        names.get(command, usage)()
    except Stop as stop:
        print(str(stop), file=sys.stderr)
        return stop.status
    except KeyboardInterrupt:
        print("Interrupted.", file=sys.stderr)
        return 130
    except OSError as problem:
        print(
            f"{problem.strerror or problem}: {problem.filename or 'no file named'}", file=sys.stderr
        )
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
