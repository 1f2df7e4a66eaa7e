"""Keras callbacks of training: tables, image grids, models, scores, the state."""

import csv
import os
import sys
import time

import keras

from common.basics.errors import UserError
from common.runs.layout import COLUMNS, GENERATOR, HEADS, HISTORY, TIMES
from common.runs.state import save_state
from common.scores.report import means, report_of_run

EVERY = 10  # steps averaged in one row


def run_callbacks(gan, run, settings, summarize, detector, trackers):
    """Return the callbacks of training, in the order in which they run.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.
        settings: training.Settings.
        summarize: function of the number of finished epochs.
        detector: collapse.CollapseDetector.
        trackers: list of tracking.Tracker.

    Returns:
        list of keras.callbacks.Callback.
    """
    every = settings.evaluate_every

    def save(epoch, logs=None):
        save_state(gan, epoch + 1, run)

    return [
        keras.callbacks.ProgbarLogger(),  # first: its line ends before others print
        History(run),
        detector,  # before callbacks that save: it may undo an epoch
        Snapshots(settings.save_every, summarize),
        *([Scores(run, every)] if every else []),
        keras.callbacks.LambdaCallback(on_epoch_end=save),  # after all files of an epoch
        *trackers,  # which log the scores
    ]


def verbosity():
    """Return `fit`'s `verbose`: 1, a bar, on a terminal, else 2, a line per epoch."""
    return 1 if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else 2


class History(keras.callbacks.Callback):
    """Write `history.csv`, a row of means every 10 steps, and `times.csv`.

    `history.csv` holds no clock times, so that it is reproducible byte for byte.
    """

    def __init__(self, run):
        super().__init__()
        self.path, self.times_path = run / HISTORY, run / TIMES

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.started = epoch + 1, time.time()
        self.last_step, self.sums = 0, {}  # of the last row of this epoch

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if step % EVERY == 0 or step == self.params["steps"]:
            # The logs are means since the epoch began: subtract the earlier rows.
            sums = {name: float(logs[name]) * step for name in COLUMNS if name in logs}
            steps = step - self.last_step
            parts = [(sums[name] - self.sums.get(name, 0)) / steps for name in sums]
            row = [self.epoch, step, *(f"{round(mean, 4) + 0.0:.4f}" for mean in parts)]
            append_row(self.path, ["epoch", "step", *sums], row)
            self.last_step, self.sums = step, sums

    def on_epoch_end(self, epoch, logs=None):
        ended = time.strftime("%Y-%m-%dT%H:%M:%S")
        row = [self.epoch, f"{time.time() - self.started:.2f}", ended]
        append_row(self.times_path, HEADS[TIMES], row)


def append_row(path, names, row):
    """Append a row to a CSV file; write the column names first if the file is new."""
    is_new = not path.exists() or path.stat().st_size == 0  # after a full disk
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([names, row] if is_new else [row])


class Snapshots(keras.callbacks.Callback):
    """Call `summarize(n)` after every `every` epochs and after the last epoch."""

    def __init__(self, every, summarize):
        super().__init__()
        self.every, self.summarize = every, summarize

    def on_epoch_end(self, epoch, logs=None):
        if is_due(self, epoch + 1):
            with self.model.averaged_generator():
                self.summarize(epoch + 1)


class Scores(keras.callbacks.Callback):
    """Add scores of G to the logs, every `every` epochs and after the last epoch."""

    def __init__(self, run, every):
        super().__init__()
        self.run, self.every = run, every

    def on_train_begin(self, logs=None):
        self.report = report_of_run(self.run)

    def on_epoch_end(self, epoch, logs=None):
        done = epoch + 1
        if is_due(self, done):
            model = GENERATOR.format(done)
            try:
                with self.model.averaged_generator():
                    record = self.report.score_generator(self.model.g_model, model)
            except UserError as error:  # e.g. NaN weights, which the detector handles
                return print(f"not scored: {error}")
            scores = means(record).items()
            logs.update({f"score/{name}": value for name, value in scores})


def is_due(callback, done):
    """Return whether epoch `done` is a multiple of `callback.every`, or the last."""
    is_last = done == callback.params["epochs"] or callback.model.stop_training
    return done % callback.every == 0 or is_last
