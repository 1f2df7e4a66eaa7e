"""Helpers of the tests: run scripts, expect errors, mark slow cases, train quickly."""

import os
import runpy
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from common.scores import classifier

ROOT = Path(__file__).resolve().parents[1]


def slow(*values):
    """Mark a case of a parametrized test as slow."""
    return pytest.param(*values, marks=pytest.mark.slow)


def run_script(script, *words, **settings):
    """Run a script in its own process, in the working directory."""
    return subprocess.run(
        [sys.executable, str(ROOT / script), *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
        env={**os.environ, **settings},
    )


def refused(capsys, main, *words, code=2):
    """Call a script's main, expect this exit code, and return its error message."""
    with pytest.raises(SystemExit) as stop:
        main([str(word) for word in words])
    assert stop.value.code == code
    message = capsys.readouterr().err
    assert message.startswith("error: ") and message.count("\n") == 1
    return message


def run_here(script, words, monkeypatch, capsys):
    """Run a script as `python script words` does, but in this process."""
    path = ROOT / script
    monkeypatch.setattr(sys, "argv", [str(path), *words])
    monkeypatch.setattr(sys, "path", [str(path.parent), *sys.path[1:]])
    runpy.run_path(str(path), run_name="__main__")
    return capsys.readouterr()


def make_quick(monkeypatch):
    """Train classifiers in 24 steps, with BatchNormalization adapted to that."""
    define = classifier.define_classifier

    def define_quick(*words):
        model = define(*words)
        for layer in model.layers:
            if isinstance(layer, keras.layers.BatchNormalization):
                layer.momentum = 0.7
        return model

    monkeypatch.setattr(classifier, "define_classifier", define_quick)
    monkeypatch.setattr(classifier, "STEPS", 20)
    monkeypatch.setattr(classifier, "BATCH", 64)
    monkeypatch.setattr(classifier, "MAX_ROTATED", 1000)
