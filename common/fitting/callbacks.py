"""Save tables, image grids, models, scores and the state with Keras callbacks."""

import csv
import os
import sys
import time

import keras

from common.basics.errors import UserError
from common.fitting.progress import Progress
from common.runs.layout import COLUMNS, GENERATOR, HEADS, HISTORY, TIMES
from common.runs.state import save_state
from common.scores import report

STEPS_PER_ROW = 10  # steps that one row of history.csv averages


def run_callbacks(gan, run, settings, summarize, detector, trackers):
    """Return the callbacks of training, in the order in which Keras calls them.

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
    scores = [Scores(run, settings.evaluate_every)] if settings.evaluate_every else []

    def save(epoch, logs=None):
        save_state(gan, epoch + 1, run)

    return [
        keras.callbacks.ProgbarLogger(),  # first: it ends its line before others print
        History(run),
        detector,  # before callbacks that save: it raises if training has failed
        EpochSummaries(settings.save_every, summarize),
        *scores,
        keras.callbacks.LambdaCallback(on_epoch_end=save),  # after all files of an epoch
        *trackers,  # after the scores, which they log
        Progress(settings),  # last: it measures how long the others take
    ]


def verbosity():
    """Return `fit`'s `verbose`: 1, a progress bar, on a terminal; else 2, lines."""
    return 1 if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else 2


class History(keras.callbacks.Callback):
    """Write `history.csv`, a row of means every 10 steps, and `times.csv`.

    `history.csv` has no clock times, so that it is reproducible byte for byte.

    Args:
        run: Path of the run folder.
    """

    def __init__(self, run):
        super().__init__()
        self.path, self.times_path = run / HISTORY, run / TIMES

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch, self.started = epoch + 1, time.time()
        self.last_step, self.sums = 0, {}  # at the last row of this epoch

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if step % STEPS_PER_ROW == 0 or step == self.params["steps"]:
            # The logs are means since the epoch began: subtract the earlier rows.
            sums = {name: float(logs[name]) * step for name in COLUMNS if name in logs}
            steps = step - self.last_step
            means = [(sums[name] - self.sums.get(name, 0)) / steps for name in sums]
            row = [self.epoch, step, *(f"{round(mean, 4) + 0.0:.4f}" for mean in means)]
            append_row(self.path, ["epoch", "step", *sums], row)
            self.last_step, self.sums = step, sums

    def on_epoch_end(self, epoch, logs=None):
        ended = time.strftime("%Y-%m-%dT%H:%M:%S")
        row = [self.epoch, f"{time.time() - self.started:.2f}", ended]
        append_row(self.times_path, HEADS[TIMES], row)


def append_row(path, names, row):
    """Append a row to a CSV file; write the column names first if the file is new."""
    is_new = not path.exists() or path.stat().st_size == 0  # empty after a full disk
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([names, row] if is_new else [row])


class EpochSummaries(keras.callbacks.Callback):
    """Save image grids and models every `every` epochs and after the last epoch.

    Args:
        every: number of epochs.
        summarize: function of the number of finished epochs; G has its EMA weights.
    """

    def __init__(self, every, summarize):
        super().__init__()
        self.every, self.summarize = every, summarize

    def on_epoch_end(self, epoch, logs=None):
        if is_due(self, epoch + 1):
            with self.model.averaged_generator():
                self.summarize(epoch + 1)


class Scores(keras.callbacks.Callback):
    """Add scores of G to the logs, every `every` epochs and after the last epoch.

    Args:
        run: Path of the run folder, whose `metrics.jsonl` gets the scores also.
        every: number of epochs.
    """

    def __init__(self, run, every):
        super().__init__()
        self.run, self.every = run, every

    def on_train_begin(self, logs=None):
        self.report = report.report_of_run(self.run)

    def on_epoch_end(self, epoch, logs=None):
        if is_due(self, epoch + 1):
            model = GENERATOR.format(epoch + 1)
            try:
                with self.model.averaged_generator():
                    record = self.report.score_generator(self.model.g_model, model)
            except UserError as error:  # e.g. NaN weights, which the detector reports
                return print(f"not scored: {error}")
            scores = report.means(record).items()
            logs.update({f"score/{name}": value for name, value in scores})


def is_due(callback, n_epochs):
    """Return whether `n_epochs` is a multiple of `callback.every`, or training ends."""
    is_last = n_epochs == callback.params["epochs"] or callback.model.stop_training
    return n_epochs % callback.every == 0 or is_last
