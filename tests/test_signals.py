"""Signals and terminals: the training ends or continues, and no state is lost."""

import os
import pty
import signal
import subprocess
import sys
import time

import pytest
from helpers import run_script
from training_runs import QUICK, RUN, SCRIPT, TINY, start_training, wait_for

from common.runs.layout import STATE_BEFORE
from common.runs.state import find_state
from mnist_gan.train import main

LONG = ["--epochs", "1000", "--preset", "quick", "--save-every", "1000"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "signals, code",
    [([signal.SIGHUP], 129), ([signal.SIGINT, signal.SIGINT], 130)],
)
def test_a_signal_is_answered_within_ten_seconds_and_nothing_is_lost(signals, code):
    process = start_training(*LONG)
    wait_for(RUN / STATE_BEFORE, process)
    started = time.time()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    output, _ = process.communicate(timeout=60)
    assert time.time() - started < 10
    assert process.returncode == code and "Traceback" not in output
    assert f"--resume {RUN}" in output
    epoch = find_state(RUN)[1].epoch
    main(["--resume", str(RUN), "--epochs", str(epoch + 1)])
    assert find_state(RUN)[1].epoch == epoch + 1


@pytest.mark.slow
def test_a_closed_terminal_ends_the_run_and_keeps_its_state():
    """A closed terminal: the kernel sends SIGHUP, and writing fails."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, SCRIPT, *TINY, *LONG])
    while not (RUN / STATE_BEFORE).exists():
        os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    epoch = find_state(RUN)[1].epoch
    assert (RUN / f"generator_model_{epoch:03d}.h5").exists()
    main(["--resume", str(RUN), "--epochs", str(epoch + 1)])


@pytest.mark.slow
def test_nohup_outlives_its_terminal():
    """SIGHUP stays ignored if it was ignored at the start."""
    process = subprocess.Popen(
        ["nohup", sys.executable, SCRIPT, *QUICK, "--epochs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for(RUN / "state.npz", process)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.slow
def test_output_in_a_file_has_no_control_characters_and_needs_no_display():
    environment = {"TERM": "dumb", "DISPLAY": ""}
    answer = run_script("mnist_gan/train.py", *QUICK, "--epochs", "2", **environment)
    assert answer.returncode == 0, answer.stderr
    output = answer.stdout + answer.stderr
    assert not [c for c in output if ord(c) < 32 and c != "\n"]
    assert (RUN / "loss_curves.png").exists()


@pytest.mark.slow
def test_a_dumb_terminal_gets_no_control_characters():
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "dumb"
        os.execv(sys.executable, [sys.executable, SCRIPT, *QUICK, "--epochs", "2"])
    output = b""
    try:
        while part := os.read(terminal, 4096):
            output += part
    except OSError:  # the terminal's end
        pass
    os.waitpid(child, 0)
    assert b"done" in output
    assert not [c for c in output.replace(b"\r\n", b"\n") if c < 32 and c != 10]
