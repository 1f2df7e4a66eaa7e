"""What happens beside the steps of a training: rows, pictures, models, the state."""

import csv
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import keras

from common.checkpoints import load_state, save_state
from common.errors import UserError
from common.plotting import draw_run

COLUMNS = (
    *("d_loss", "d1", "d2", "g_loss", "acc_real", "acc_fake", "acc_adv"),
    *("score_real", "score_fake", "score_adv", "energy_real", "energy_fake"),
    *("k", "convergence"),
)
EVERY = 10  # steps averaged in one row


def run_callbacks(run, save_every, summarize, guard, evaluate_every, trackers):
    """The callbacks of a training, in their order: trackers are told the scores.

    Args:
        run: Path of the run folder.
        save_every: epochs between two calls of `summarize`.
        summarize: function of the number of finished epochs.
        guard: guard.Guard, which may undo an epoch before it is saved.
        evaluate_every: epochs between two scorings of G, or None.
        trackers: list of tracking.Tracker.
    """
    return [
        keras.callbacks.ProgbarLogger(),  # first, so that it ends before others print
        History(run),
        guard,
        Snapshots(save_every, summarize),
        State(run),
        *([Scores(run, evaluate_every)] if evaluate_every else []),
        *trackers,
    ]


def verbosity():
    """1, a progress bar, on a terminal; 2, a line an epoch, in a file or a pipe."""
    return 1 if sys.stdout.isatty() else 2


class History(keras.callbacks.Callback):
    """Write `history.csv`, a row of means every 10 steps, and `times.csv`.

    `history.csv` holds no clock times, so that equal runs write equal files.
    """

    def __init__(self, run):
        super().__init__()
        self.path, self.times_path = run / "history.csv", run / "times.csv"

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch + 1
        self.last_step, self.last_sums = 0, {}
        self.started = time.time()

    def on_train_batch_end(self, batch, logs=None):
        step = batch + 1
        if step % EVERY == 0 or step == self.params["steps"]:
            # The logs are means since the epoch began: take the earlier rows out.
            sums = {name: float(logs[name]) * step for name in COLUMNS if name in logs}
            steps = step - self.last_step
            means = [(sums[name] - self.last_sums.get(name, 0)) / steps for name in sums]
            row = [self.epoch, step, *(f"{round(mean, 4) + 0.0:.4f}" for mean in means)]
            append_row(self.path, ["epoch", "step", *sums], row)
            self.last_step, self.last_sums = step, sums

    def on_epoch_end(self, epoch, logs=None):
        ended = time.strftime("%Y-%m-%dT%H:%M:%S")
        row = [self.epoch, f"{time.time() - self.started:.2f}", ended]
        append_row(self.times_path, ["epoch", "seconds", "ended"], row)


def append_row(path, names, row):
    """Append a row to a CSV file, after the names where the file is new."""
    is_new = not path.exists()
    with path.open("a", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([names, row] if is_new else [row])


def keep_rows_until(epoch, path):
    """Drop the rows of later epochs, and what is left of a row that was cut off."""
    if not path.exists() or path.stat().st_size == 0:
        return
    names, *rows = path.read_text(errors="replace").splitlines()
    whole = [row for row in rows if row.count(",") == names.count(",")]
    numbers = [row.split(",")[0] for row in whole]
    pairs = zip(numbers, whole, strict=True)
    kept = [row for number, row in pairs if number.isdecimal() and int(number) <= epoch]
    part = path.with_name(f"{path.name}.part")
    part.write_text("\n".join([names, *kept, ""]))
    part.replace(path)


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
        from common.evaluation import of_run

        self.evaluation = of_run(self.run)
        self.evaluation.start()

    def on_epoch_end(self, epoch, logs=None):
        from common.evaluation import means

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


class State(keras.callbacks.Callback):
    """Save the state after every epoch."""

    def __init__(self, run):
        super().__init__()
        self.run = run

    def on_epoch_end(self, epoch, logs=None):
        save_state(self.model, epoch + 1, self.run)


def start(gan, run, resume):
    """Set `gan` and the run folder to where training starts; return the epochs done.

    The state of the start is saved, too: a run may be stopped in its first epoch.

    Raises:
        UserError: there is no usable state to resume.
    """
    if resume:
        return go_back(gan, run)
    save_state(gan, 0, run)
    return 0


def go_back(gan, run):
    """Bring `gan` and the run folder back to the last whole epoch; return its number."""
    epoch = load_state(gan, run)
    for name in ("history.csv", "times.csv", "events.csv"):
        keep_rows_until(epoch, Path(run) / name)
    return epoch


@contextmanager
def kept_on_interrupt(gan, run, summarize):
    """On Ctrl-C or SIGTERM, keep pictures and models of the last whole epoch.

    Says how to go on, and passes the interrupt on.
    """
    try:
        yield
    except KeyboardInterrupt:
        epoch = go_back(gan, run)
        if epoch > 0:
            with gan.averaged_generator():
                summarize(epoch)
            draw_run(run, gan.ideal)
        print(f"\ninterrupted; to go on after epoch {epoch}: --resume {run}")
        raise
