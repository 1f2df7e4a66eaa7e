"""What happens beside the steps of a training: rows, pictures, models, the state."""

import csv
import os
import sys
import time

import keras

from common.basics.errors import UserError
from common.runs.layout import COLUMNS
from common.runs.state import BEGINNING, save_state

EVERY = 10  # steps averaged in one row


def run_callbacks(run, start, save_every, save_every_steps, summarize, guard,
                  evaluate_every, trackers):  # fmt: skip
    """The callbacks of a training, in their order: trackers are told the scores.

    Args:
        run: Path of the run folder.
        start: state.State from which it goes on.
        save_every: epochs between two calls of `summarize`.
        save_every_steps: steps between two states within an epoch, or None.
        summarize: function of the number of finished epochs.
        guard: collapse.Guard, which may undo an epoch before it is saved.
        evaluate_every: epochs between two scorings of G, or None.
        trackers: list of tracking.Tracker.
    """
    history = History(run, start)
    return [
        keras.callbacks.ProgbarLogger(),  # first, so that it ends before others print
        history,
        guard,
        Snapshots(save_every, summarize),
        *([Scores(run, evaluate_every)] if evaluate_every else []),
        States(run, save_every_steps, history),  # after all that an epoch makes
        *trackers,
    ]


def verbosity():
    """1, a progress bar, on a terminal; 2, a line an epoch, elsewhere."""
    return 1 if sys.stdout.isatty() and os.environ.get("TERM") != "dumb" else 2


class History(keras.callbacks.Callback):
    """Write `history.csv`, a row of means every 10 steps, and `times.csv`.

    `history.csv` holds no clock times, so that equal runs write equal files.

    Attributes:
        row: dict, the step of the last row of this epoch and the sums up to there.
    """

    def __init__(self, run, start=BEGINNING):
        super().__init__()
        self.path, self.times_path = run / "history.csv", run / "times.csv"
        self.start = start

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1
        is_begun = self.start.step > 0 and self.start.epoch == epoch
        self.row = self.start.row if is_begun else {"step": 0}
        self.started = time.time()

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if logs and (step % EVERY == 0 or step == self.params["steps"]):
            # The logs are means since the epoch began: take the earlier rows out.
            sums = {name: float(logs[name]) * step for name in COLUMNS if name in logs}
            steps = step - self.row["step"]
            means = [(sums[name] - self.row.get(name, 0)) / steps for name in sums]
            row = [self.epoch, step, *(f"{round(mean, 4) + 0.0:.4f}" for mean in means)]
            append_row(self.path, ["epoch", "step", *sums], row)
            self.row = {"step": step, **sums}

    def on_epoch_end(self, epoch, logs=None):
        ended = time.strftime("%Y-%m-%dT%H:%M:%S")
        row = [self.epoch, f"{time.time() - self.started:.2f}", ended]
        append_row(self.times_path, ["epoch", "seconds", "ended"], row)


def append_row(path, names, row):
    """Append a row to a CSV file, after the names where the file is new."""
    is_new = not path.exists() or path.stat().st_size == 0  # where a disk was full
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([names, row] if is_new else [row])


class Snapshots(keras.callbacks.Callback):
    """Call `summarize(n)` after every `every`th epoch and after the last one."""

    def __init__(self, every, summarize):
        super().__init__()
        self.every, self.summarize = every, summarize

    def on_epoch_end(self, epoch, logs=None):
        if is_due(self, epoch + 1):
            with self.model.averaged_generator():
                self.summarize(epoch + 1)


class Scores(keras.callbacks.Callback):
    """Score G every so many epochs, and after the last one, and add that to the logs."""

    def __init__(self, run, every):
        super().__init__()
        self.run, self.every = run, every

    def on_train_begin(self, logs=None):
        from common.scores.report import of_run

        self.evaluation = of_run(self.run)
        self.evaluation.start()

    def on_epoch_end(self, epoch, logs=None):
        from common.scores.report import means

        done = epoch + 1
        if is_due(self, done):
            model = f"generator_model_{done:03d}.h5"
            try:
                with self.model.averaged_generator():
                    record = self.evaluation.generator(self.model.g_model, model, done)
            except UserError as error:  # a G of NaN; the guard says what to do
                return print(f"not scored: {error}")
            scores = means(record).items()
            logs.update({f"score/{name}": value for name, value in scores})


def is_due(callback, done):
    """Whether so many epochs are a multiple of a callback's `every`, or the last."""
    is_last = done == callback.params["epochs"] or callback.model.stop_training
    return done % callback.every == 0 or is_last


class States(keras.callbacks.Callback):
    """Save the state after every epoch and, if asked, every so many steps within one.

    Args:
        run: Path of the run folder.
        every: steps between two states within an epoch, or None.
        history: the History of this training.
    """

    def __init__(self, run, every, history):
        super().__init__()
        self.run, self.every, self.history = run, every, history

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if logs and self.every and step % self.every == 0 and step < self.params["steps"]:
            save_state(self.model, self.epoch, self.run, step, self.history.row)

    def on_epoch_end(self, epoch, logs=None):
        save_state(self.model, epoch + 1, self.run)
