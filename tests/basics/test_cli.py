"""How a script ends: exit codes, sentences, signals, and streams that are closed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import ROOT, refused, run_script, slow

from common.basics.cli import command


@pytest.mark.parametrize("taker", [np, slow(keras.ops)])
def test_memory_that_runs_out_gives_one_sentence_and_exit_code_3(capsys, taker):
    """NumPy's, and TensorFlow's, which is much longer."""

    @command
    def take_all(argv):
        taker.zeros((2**20, 2**25), "int32")

    assert "out of memory" in refused(capsys, take_all, code=3)


def test_what_is_our_own_fault_keeps_its_traceback():
    @command
    def divide(argv):
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        divide([])


LOOP = """
from common.basics import cli
class Loop:
    def __del__(self):
        print("looked for at the end")
loop = Loop()
loop.itself = loop
del loop
print("the end")
"""


def test_a_script_ends_without_a_search_for_garbage():
    """Which takes half a minute after a long training."""
    words, env = [sys.executable, "-c", LOOP], {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(words, capture_output=True, text=True, env=env)
    assert answer.stdout == "the end\n", answer.stderr


def test_a_signal_within_a_destructor_is_not_lost(capsys):
    class Array:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    @command
    def train(argv):
        Array()
        time.sleep(20)

    started = time.time()
    with pytest.raises(SystemExit) as stop:
        train()
    assert time.time() - started < 10
    assert stop.value.code == 130 and capsys.readouterr().err == ""


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_fault(closed):
    words = f"{sys.executable} {ROOT}/common/generate.py nowhere.h5 {closed}"
    answer = subprocess.run(["sh", "-c", words], capture_output=True, text=True)
    assert answer.returncode == 2
    printed = ["error: nowhere.h5" in answer.stderr, answer.stderr == ""]
    assert printed == ["2>" not in closed, "2>" in closed] and answer.stdout == ""


def test_names_that_the_output_cannot_hold_are_told_in_another_way():
    Path("runs/x/ü").mkdir(parents=True)
    Path("runs/x/ü/generator_model_001.h5").touch()
    answer = run_script("common/generate.py", PYTHONIOENCODING="ascii")
    assert answer.returncode == 0, answer.stderr
    assert "\\xfc/generator_model_001.h5" in answer.stdout
