"""Modules, signals, flags and open folders that Windows lacks are not needed.

Windows itself is not tested: another system runs without them, in a separate process that
removes them before the first import of this project.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import ROOT

GAPS = f"""
import os
import signal
import sys
import warnings

import psutil  # needs some of them here, but not on Windows

sys.path.insert(0, {str(ROOT)!r})
OURS = ("common", "toy_gan", "mnist_gan", "cifar10_gan", "celeba_gan")
for name in ("fcntl", "grp", "pty", "pwd", "resource", "syslog", "termios", "tty"):
    sys.modules[name] = None
gaps = {{
    os: "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK chown fork getgid getloadavg getuid "
    "killpg mkfifo nice sched_getaffinity statvfs",
    signal: "SIGALRM SIGHUP SIGUSR1 alarm pthread_kill setitimer",
}}
for module, names in gaps.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
opened = os.open


def no_folders(path, *options, **more):
    if sys._getframe(1).f_globals["__name__"].startswith(OURS) and os.path.isdir(path):
        raise PermissionError(13, "Permission denied", path)
    return opened(path, *options, **more)


os.open = no_folders
warnings.filterwarnings("ignore", "only soft file lock")
"""
IMPORT_ALL = """
import importlib
from pathlib import Path

for folder in OURS:
    for path in sorted(Path(sys.path[0], folder).rglob("*.py")):
        parts = path.relative_to(sys.path[0]).with_suffix("").parts
        importlib.import_module(".".join(parts).removesuffix(".__init__"))
"""
TRAININGS = {
    "toy_gan.train_points": [],
    "mnist_gan.train": ["--data", "digits", "--preset", "quick"],
    "cifar10_gan.train": ["--data", "synthetic", "--preset", "quick"],
    "celeba_gan.train": ["--data", "synthetic", "--size", "32", "--preset", "quick"],
}
TRAIN = f"""
for name, words in {TRAININGS!r}.items():
    script = importlib.import_module(name)
    script.main([*words, "--dry-run", "--run-dir", name])
    print("trained", name)
"""
TAKE = """
from pathlib import Path
from common.basics.cli import command
from common.runs.folder import lock_run

@command
def main(argv):
    lock_run(Path())
    print("taken", flush=True)
    sys.stdin.read()

main()
"""


def start(code):
    return subprocess.Popen(
        [sys.executable, "-c", GAPS + code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
    )


def test_every_module_is_imported_and_every_folder_trains():
    process = start(IMPORT_ALL + TRAIN)
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    for name in TRAININGS:
        assert f"trained {name}" in output
        assert list(Path(name).glob("generator_model_*.h5"))


def test_a_run_is_trained_by_one_process_at_a_time():
    first = start(TAKE)
    assert first.stdout.readline() == "taken\n"
    second = start(TAKE)
    _, errors = second.communicate(timeout=60)
    assert second.returncode == 2
    assert errors.startswith("error: . is in use by another process")
    first.kill()  # as a crash does
    first.communicate()
    third = start(TAKE)
    output, errors = third.communicate(timeout=60)
    assert output == "taken\n", errors


@pytest.mark.skipif(sys.platform == "win32", reason="the gaps are there")
def test_the_gaps_are_gaps():
    code = "import fcntl"
    assert "ModuleNotFoundError" in start(code).communicate(timeout=60)[1]
    code = "import common.basics.files as f\nwith f.folder_descriptor('.'): pass"
    assert "PermissionError" in start(code).communicate(timeout=60)[1]
