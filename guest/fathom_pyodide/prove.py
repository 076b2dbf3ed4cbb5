"""The self-test: tries to reach the host from a cell, as an attacker would begin. Every attempt must fail."""

from fathom_guest.own import own_builtins as __builtins__

import json
import os
import socket
import subprocess
import urllib.request


def _file(facts: dict) -> bool:
    with open(facts["canary"], encoding="utf-8") as file:
        return facts["secret"] in file.read()


def _folder(facts: dict) -> bool:
    return os.path.basename(facts["canary"]) in os.listdir(os.path.dirname(facts["canary"]))


def _connection(facts: dict) -> bool:
    with socket.create_connection(("127.0.0.1", facts["port"]), timeout=2):
        return True


def _request(facts: dict) -> bool:
    with urllib.request.urlopen(f"http://127.0.0.1:{facts['port']}/", timeout=2) as reply:
        return bool(reply.status)


def _signal(facts: dict) -> bool:
    os.kill(facts["pid"], 0)
    return os.getpid() != facts["pid"]


def _environment(facts: dict) -> bool:
    return facts["secret"] in str(dict(os.environ))


def _program(facts: dict) -> bool:
    return subprocess.run(["/bin/true"], check=False).returncode == 0


def _shell(facts: dict) -> bool:
    return os.system("true") == 0


def _javascript(facts: dict) -> bool:
    import js

    return bool(js)


ATTEMPTS = {
    "file": _file,
    "folder": _folder,
    "connection": _connection,
    "request": _request,
    "signal": _signal,
    "environment": _environment,
    "program": _program,
    "shell": _shell,
    "javascript": _javascript,
}


def attempt(facts: dict) -> str:
    """JSON: the name of each attempt, and whether it reached the host."""
    reached = {}
    for name, run in ATTEMPTS.items():
        try:
            reached[name] = run(facts)
        except Exception:
            reached[name] = False
    return json.dumps(reached)
