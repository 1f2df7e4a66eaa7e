"""Run folders: one process in each, and what its record must have in common."""

import argparse
import os
import subprocess
import sys
from pathlib import Path

import bad_models
import pytest
from helpers import ROOT
from training_runs import SCRIPT

from common.basics.errors import UserError
from common.options.training_options import training_options
from common.runs import folder as runs
from common.runs import record
from common.runs.layout import STATE_BEFORE
from common.runs.state import find_state
from mnist_gan.train import SCRIPT as TRAIN

TAKE = """
import sys
from pathlib import Path
from common.runs import folder as runs
runs.lock_run(Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_second_process_on_a_run_is_refused():
    """Also at a moment when a file of the first one is none: it is being renamed."""
    run = Path("run")
    run.mkdir()
    known = {
        "format": 2,
        "script": SCRIPT,
        "options": {"epochs": 1},
        "data": {"fingerprint": ""},
    }
    record.write_record(run, known)
    os.mkfifo(run / "state.npz")
    other = subprocess.Popen(
        [sys.executable, "-c", TAKE, run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert other.stdout.readline() == b"taken\n"
    with pytest.raises(UserError, match="another process"):
        runs.start_run(SCRIPT, argparse.Namespace(resume="run"), {}, "")
    other.kill()  # as a crash does
    other.communicate()
    runs.lock_run(run)
    runs.lock_run(run)  # in this process, once more
    assert {path.name for path in run.iterdir()} == {"options.json", "state.npz"}


def test_all_options_that_differ_are_named():
    Path("run").mkdir()
    typed = ["--epochs", "1", "--batch-size", "8", "--seed", "3", "--save-every", "1"]
    options = vars(training_options(typed, TRAIN))
    data = {"fingerprint": "0"}
    known = {"format": 2, "script": TRAIN.path, "data": data, "options": options}
    record.write_record(Path("run"), known)
    given = ["--resume", "run", "--epochs", "2", "--save-every", "3"]
    with pytest.raises(UserError) as error:
        training_options([*given, "--batch-size", "16", "--ema", "0.5"], TRAIN)
    message = str(error.value)
    assert "--batch-size 16 (the run's: 8)" in message and "--ema 0.5" in message
    assert "--save-every" not in message and "--epochs" not in message
    merged = {**options, "resume": "run", "epochs": 2, "save_every": 3}
    assert vars(training_options(given, TRAIN)) == merged


def test_other_versions_are_told_when_a_run_goes_on():
    now = record.all_versions()
    assert record.changed_versions({"versions": now}) == ""
    printed = record.changed_versions({"versions": {**now, "keras": "2.15.0"}})
    assert printed == f"keras {now['keras']} (the run's: 2.15.0)"
    earlier = {name: now[name] for name in now if name != "oneDNN"}
    printed = record.changed_versions({"versions": earlier})
    assert printed == f"oneDNN {now['oneDNN']} (the run's: unknown)"


def test_a_run_killed_between_two_renames_knows_whether_it_is_drawn():
    bad_models.a_run()
    run = Path("run")
    (run / "state.npz").rename(run / STATE_BEFORE)
    state, *_ = find_state(run)
    assert runs.has_video(state)
    (run / "training.gif").unlink()
    assert not runs.has_video(state)
