"""What a training prints of the time that is left."""

import re
from datetime import datetime
from pathlib import Path

import keras
import pytest
from helpers import ROOT
from training_runs import TINY

from celeba_gan.train import SCRIPT as CELEBA
from cifar10_gan.train import SCRIPT as CIFAR10
from common.fitting import callbacks
from common.fitting.progress import Progress, clock_time, duration
from common.options.training_options import PRESETS
from common.training import Settings
from mnist_gan.train import SCRIPT as MNIST
from mnist_gan.train import main

NOON = datetime(2026, 11, 28, 12).timestamp()
RECORD = {"script": "mnist_gan/train.py", "options": {"preset": None}}


def list_of(progress, epochs, steps):
    """Return Keras's list of callbacks with this one, as `fit` makes it."""
    model = keras.Sequential()
    model.stop_training = False
    return keras.callbacks.CallbackList(
        [progress], model=model, epochs=epochs, steps=steps, verbose=2
    )


def fit(epochs, steps, first=0, step=2.0, end=10.0, compiling=60.0, ends=None, **more):
    """Call a Progress as `fit` does; its clocks start at noon.

    Args:
        epochs, steps, first: see Keras's `fit`: epochs, steps_per_epoch, initial_epoch.
        step, end, compiling: seconds of a step, of an epoch's end, and before step 1.
        ends: dict, epoch -> seconds of another end.
        more: of Settings.
    """
    seconds = NOON

    def now():
        return seconds

    progress = Progress(Settings(**{"record": RECORD, **more}), clock=now, now=now)
    called = list_of(progress, epochs, steps)
    called.on_train_begin()
    for epoch in range(first, epochs):
        called.on_epoch_begin(epoch)
        for i in range(steps):
            seconds += step + compiling * (epoch == first and i == 0)
            called.on_train_batch_end(i)
        seconds += (ends or {}).get(epoch, end)
        called.on_epoch_end(epoch)


def test_the_time_left_is_that_of_steps_and_ends_without_the_compilation(capsys):
    """An epoch takes 100 x 2 + 10 seconds, and the first 60 more."""
    fit(epochs=4, steps=100)
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1 of 4; 10 min left, until about 12:15",  # 630 s, at 270 s
        "epoch 2 of 4; 7 min left, until about 12:15",
        "epoch 3 of 4; 4 min left, until about 12:15",
    ]


def test_a_resumed_run_counts_the_epochs_that_are_left(capsys):
    fit(epochs=100, steps=100, first=98, resume="run")
    (line,) = capsys.readouterr().out.splitlines()
    assert line == "epoch 99 of 100; 4 min left, until about 12:08"


def test_saving_and_scoring_count_as_measured_so_far(capsys):
    """Every second end takes 600 s: 300 s on average, once it was seen."""
    fit(epochs=5, steps=60, step=1, end=0, ends={1: 600, 3: 600})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("; ")[1].split(" left")[0] for line in lines] == [
        "4 min",  # 4 x 60 s
        "18 min",  # 3 x (60 + 300) s
        "9 min",  # 2 x (60 + 200) s = 520 s
        "6 min",  # 60 + 300 s
    ]


def test_a_training_that_stops_has_no_time_left(capsys):
    progress = Progress(Settings())
    called = list_of(progress, epochs=2, steps=2)
    called.on_train_begin()
    called.on_epoch_begin(0)
    for i in range(2):
        called.on_train_batch_end(i)
    progress.model.stop_training = True  # as the collapse detector does
    called.on_epoch_end(0)
    assert capsys.readouterr().out == ""


def test_the_estimate_follows_the_load_of_the_machine(capsys):
    """1000 steps are averaged: the slow ones before them are no longer counted."""
    seconds = 0.0
    progress = Progress(Settings(), clock=lambda: seconds, now=lambda: NOON)
    called = list_of(progress, epochs=3, steps=1000)
    called.on_train_begin()
    for epoch, step in enumerate((9.0, 1.0)):
        called.on_epoch_begin(epoch)
        for i in range(1000):
            seconds += step
            called.on_train_batch_end(i)
        called.on_epoch_end(epoch)
    lines = capsys.readouterr().out.splitlines()
    assert "5 h 0 min left" in lines[1] and "17 min left" in lines[2]


@pytest.mark.parametrize(
    "epochs, more, expected",
    [
        (100, {}, "100 epochs take 5 h 33 min; --preset quick takes 2 to 3 minutes on "),
        (10, {}, "10 epochs take 33 min; --preset quick takes 2 to 3 minutes on "),
        (9, {}, None),  # 30 min
        (100, {"record": None}, "100 epochs take 5 h 33 min"),
        (100, {"record": {**RECORD, "script": "x.py"}}, "100 epochs take 5 h 33 min"),
        (
            100,
            {"record": {**RECORD, "options": {"preset": "best"}}},
            "100 epochs take 5 h 33 min",
        ),
    ],
)
def test_only_a_long_training_gets_a_notice_after_50_steps(
    capsys, epochs, more, expected
):
    """100 steps of 2 seconds; the first end comes after the notice."""
    fit(epochs, steps=100, end=0, **more)
    lines = capsys.readouterr().out.splitlines()
    notices = [line for line in lines if not line.startswith("epoch")]
    if expected is None:
        assert notices == []
    else:
        assert lines[0] == notices[0] and len(notices) == 1
        found = notices[0].removeprefix("at this speed ")
        assert found.startswith(expected)
        assert found == expected or found.endswith(" on two CPU cores")


def test_the_notice_of_a_resumed_run_is_about_what_is_left(capsys):
    """20 epochs of 20 steps of 4 s, with ends of 40 s: the third has 50 steps."""
    fit(epochs=100, steps=20, first=80, step=4, end=40, resume="run")
    notices = [x for x in capsys.readouterr().out.splitlines() if "speed" in x]
    assert notices == ["at this speed 20 epochs that are left take 40 min"]


def test_the_notice_of_a_single_epoch(capsys):
    fit(epochs=1, steps=1000)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("at this speed 1 epoch takes 33 min; --preset quick takes")


@pytest.mark.parametrize(
    "seconds, expected",
    [
        (0, "0 s"), (29.6, "30 s"), (45, "45 s"), (90 * 60 - 29, "1 h 30 min"),
        (59.6 * 60, "1 h 0 min"), (12_900, "3 h 35 min"), (86_399, "1 day 0 h"),
        (26 * 3600, "1 day 2 h"), (86_400 * 2 - 60, "2 days 0 h"),
        (86_400 * 12 + 3_600 * 5, "12 days 5 h"),
    ],
)  # fmt: skip
def test_durations_are_written_in_words(seconds, expected):
    assert duration(seconds) == expected


@pytest.mark.parametrize(
    "hours, expected",
    [(5.5, "17:30"), (11.99, "23:59"), (12, "00:00 on Sunday, 29 November"),
     (16 + 1 / 6, "04:10 on Sunday, 29 November"),
     (96, "12:00 on Wednesday, 2 December")],
)  # fmt: skip
def test_the_end_has_its_day_if_it_is_another(hours, expected):
    assert clock_time(NOON, hours * 3600) == expected


@pytest.mark.parametrize("script", [MNIST, CIFAR10, CELEBA], ids=lambda x: x.path)
def test_times_of_presets_stand_in_a_readme(script):
    folder = Path(script.path).parent
    pages = " ".join((ROOT / x / "README.md").read_text() for x in (folder, ""))
    assert PRESETS[script.path].keys() == script.presets.keys()
    for words in PRESETS[script.path].values():
        assert words in " ".join(pages.split())


def test_a_training_prints_the_time_left_and_its_history_is_the_same(capsys, monkeypatch):
    words = [*TINY, "--preset", "quick", "--epochs", "3", "--run-dir"]
    main([*words, "one"])
    lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith("epoch ")]
    times = r"(\d+ s|\d+ min) left, until about \d\d:\d\d( on \w+, \d+ \w+)?"
    assert len(lines) == 2
    for i, line in enumerate(lines, 1):
        assert re.fullmatch(rf"epoch {i} of 3; {times}", line)
    monkeypatch.setattr(callbacks, "Progress", lambda _: keras.callbacks.Callback())
    main([*words, "other"])
    assert " left, until" not in capsys.readouterr().out
    for name in ("history.csv", "generated_plot_e003.png"):
        assert Path("one", name).read_bytes() == Path("other", name).read_bytes()
