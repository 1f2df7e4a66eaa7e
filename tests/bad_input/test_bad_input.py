"""Every wrong input gets a one-line message, quickly, and nothing on the disk changes.

The inputs are in `bad_options.py` and `cases_of_*.py`; `docs/bad_inputs.md`, which
`python tests/bad_input/list_bad_inputs.py` writes, lists them with their messages.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import bad_files
import bad_models
import pytest
from bad_inputs import cases, observe, snapshot
from helpers import ROOT, run_script

CASES = cases()
AT_MOST = 5  # seconds of work, of which a message takes some tenths


@pytest.fixture(autouse=True)
def removable():
    yield
    bad_files.flatten()


def check_message(printed, expected):
    assert re.fullmatch("error: [^\n]*\n", printed)
    assert printed.rstrip("\n").isprintable() and "Traceback" not in printed
    assert re.search("|".join(map(re.escape, expected.split("|"))), printed), printed
    assert len(printed) < 1100


@pytest.mark.parametrize("name", CASES)
def test_a_wrong_input_is_refused(name):
    case = CASES[name]
    seen = observe(case)
    assert seen.code == case.code, seen.printed
    check_message(seen.printed, case.expected)
    assert seen.changed == []
    assert seen.seconds < AT_MOST


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case.alone])
def test_a_script_alone_refuses_it_as_well(name):
    case = CASES[name]
    words = case.make()
    before = snapshot()
    answer = run_script(case.script, *words, **case.settings)
    assert answer.returncode == case.code
    check_message(answer.stderr, case.expected)
    assert snapshot() == before


def test_every_script_and_option_is_tried():
    scripts = {case.script for case in CASES.values()}
    folders = ("mnist_gan", "cifar10_gan", "celeba_gan", "toy_gan", "common")
    found = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).glob("*.py")
        if "\nif __name__ == " in path.read_text()
    }
    assert found <= scripts and len(CASES) >= 150
    printed = run_script("mnist_gan/train.py", "--help").stdout
    options = set(re.findall(r"^  (--[a-z-]+)", printed, re.MULTILINE)) - {"--help"}
    tried = {word.partition("=")[0] for name in CASES for word in name.split()}
    assert len(options) > 40 and options <= tried


def test_the_list_in_the_docs_is_of_these():
    text = (ROOT / "docs" / "bad_inputs.md").read_text()
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| `")]
    listed = {(script.strip("| `"), int(code)) for script, _, code, _ in rows}
    assert listed == {(case.script, case.code) for case in CASES.values()}
    assert len(rows) == len(CASES)


# ---- What is wrong with the machine, or with permissions


def run_as_nobody(*words):
    """Run a script as a user who owns nothing; skip where only root could start one."""
    if os.geteuid() != 0:
        return run_script(*words)
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    python = [*nobody, sys.executable]
    try:
        able = subprocess.run([*python, "-c", "import numpy"], capture_output=True)
    except FileNotFoundError:
        able = None
    if able is None or able.returncode:
        pytest.skip("no program starts as another user here")
    command = [*python, str(ROOT / words[0]), *words[1:]]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


PRIVATE = {
    "a file that may not be read": (
        lambda: bad_files.write("a.npz", b"x"), "mnist_gan/load_data.py --data a.npz"),
    "a folder that may not be read": (
        lambda: bad_files.write("run/options.json", "{}"), "common/compare.py run run2"),
    "a folder that may not be written": (
        lambda: Path("run").mkdir(), "toy_gan/train_1010.py --run-dir run/new"),
}  # fmt: skip


@pytest.mark.parametrize("name", PRIVATE)
def test_missing_permissions_are_told(name, tmp_path):
    make, words = PRIVATE[name]
    make()
    before = snapshot()
    for path in tmp_path.iterdir():
        path.chmod(0)
    answer = run_as_nobody(*words.split())
    for path in tmp_path.iterdir():
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert answer.returncode == 2, answer.stderr
    check_message(answer.stderr, "Permission denied|not a run folder|no such file")
    assert snapshot().keys() == before.keys()


@pytest.mark.slow
@pytest.mark.parametrize("script", ["toy_gan/divergences.py", "common/generate.py"])
def test_a_full_disk_is_the_machines_fault(script):
    words = {"toy_gan/divergences.py": "", "common/generate.py": "m.h5 --out a.png"}
    bad_files.write("m.h5", bad_models.model())
    line = f"ulimit -f 8; '{sys.executable}' '{ROOT / script}' {words[script]}"
    answer = subprocess.run(line, shell=True, capture_output=True, text=True)
    assert answer.returncode == 3, answer.stderr
    check_message(answer.stderr, "File too large")
