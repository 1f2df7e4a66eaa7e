"""Disks and data that fail a training: no state is lost; one error message."""

import os
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from helpers import ROOT, refused
from training_runs import QUICK, SCRIPT, assert_same_results

from common.runs import folder as runs
from mnist_gan.train import main


def states(run):
    return {p.name: p.read_bytes() for p in Path(run).glob("state*.npz")}


def bytes_in(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*"))


def on_small_disk(words, mebibytes):
    """Resume the run in `run` on its own small disk, a tmpfs in a mount namespace."""
    Path("disk").mkdir()
    inner = (
        f"mount -t tmpfs -o size={mebibytes}m none disk && cp -r run disk && "
        f"{sys.executable} {SCRIPT} --resume disk/run {' '.join(words)}; code=$?; "
        "cp -r disk/run after; exit $code"
    )
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inner],
        capture_output=True,
        text=True,
        timeout=120,
    )


def with_small_files(words, most):
    """Do the same with a limit of file size, where no disk can be mounted."""
    shutil.copytree("run", "after")
    return subprocess.run(
        [sys.executable, SCRIPT, "--resume", "after", *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_a_full_disk_leaves_the_state_that_was_there():
    main([*QUICK, "--epochs", "1", "--run-dir", "run"])
    words = ["--epochs", "3"]
    small = bytes_in("run") // 2**20 + 2  # the models of an epoch fit, its state does not
    answer = on_small_disk(words, small)
    if "unshare" in answer.stderr or "mount" in answer.stderr:
        shutil.rmtree("after", ignore_errors=True)
        answer = with_small_files(words, 3 * 2**20)
    assert answer.returncode == 3, answer.stderr
    assert answer.stderr.startswith("error: ") and answer.stderr.count("\n") == 1
    assert "make room" in answer.stderr
    assert states("after") == states("run")
    assert not list(Path("after").glob(".*"))
    main(["--resume", "after", "--epochs", "2"])
    main([*QUICK, "--epochs", "2", "--run-dir", "unbroken"])
    assert_same_results(Path("unbroken"), Path("after"), 2)


SAVE = """
import resource, sys
from pathlib import Path
import keras
from common.checkpoints import save_models
from common.basics.cli import command

@command
def main(argv):
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1000)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    save_models(Path(), 1, model, model)

main()
"""


def test_a_full_disk_while_a_model_is_saved_does_not_crash_python():
    """HDF5 does that at exit, if it could not write all."""
    answer = subprocess.run(
        [sys.executable, "-c", SAVE],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert answer.returncode == 3, answer.stderr
    (message,) = (x for x in answer.stderr.splitlines() if x.startswith("error: "))
    assert "generator_model_001.h5: File too large; make room" in message
    assert "Traceback" not in answer.stderr and not list(Path().glob("*.h5"))


@pytest.mark.slow
def test_a_run_that_cannot_be_written_is_rejected():
    main([*QUICK, "--epochs", "1", "--run-dir", "run"])
    Path("other").mkdir()
    runs.lock_run(Path("other"))  # releases this process's lock of the run
    inner = (
        "mount --bind run run && mount -o remount,bind,ro run && "
        f"exec {sys.executable} {SCRIPT} --resume run --epochs 2"
    )
    answer = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inner],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "unshare" in answer.stderr or "mount" in answer.stderr:
        pytest.skip("no folder can be made read-only here")
    assert answer.returncode == 2
    assert "is not writable" in answer.stderr and answer.stderr.count("\n") == 1


def test_data_that_are_no_numbers_are_rejected(capsys):
    images = np.zeros((20, 28, 28), "float32")
    images[3, 5, 5] = np.nan
    np.savez("images.npz", x_train=images)
    words = ["--data", "images.npz", "--batch-size", "4"]
    assert "nan" in refused(capsys, main, *words)
    assert not Path("runs").exists()


@pytest.mark.slow
def test_data_that_changed_between_two_runs_are_rejected(capsys):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 28, 28), np.uint8)
    np.savez("images.npz", x_train=images)
    words = ["--data", "images.npz", "--batch-size", "4", "--steps-per-epoch", "1"]
    main([*words, "--preset", "quick", "--epochs", "1", "--run-dir", "run"])
    before = states("run")
    images[7, 3, 3] ^= 1
    np.savez("images.npz", x_train=images)
    capsys.readouterr()
    assert "images now given" in refused(capsys, main, "--resume", "run", "--epochs", 2)
    assert states("run") == before
