"""What happens beside the steps of a training: rows, pictures, models, the state."""

import csv
import os
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import keras

from common.cli import Terminated
from common.distribute import replicas_of
from common.errors import UserError
from common.plotting import draw_run
from common.state import BEGINNING, load_state, save_state, set_state

COLUMNS = (
    *("d_loss", "d1", "d2", "g_loss", "acc_real", "acc_fake", "acc_adv"),
    *("score_real", "score_fake", "score_adv", "energy_real", "energy_fake"),
    *("k", "convergence"),
)
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
        guard: guard.Guard, which may undo an epoch before it is saved.
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


def keep_rows_until(state, path):
    """Drop the rows of later steps, and what is left of a row that was cut off."""
    if not path.exists() or path.stat().st_size == 0:
        return
    names, *rows = path.read_text(errors="replace").splitlines()
    whole = [row for row in rows if row.count(",") == names.count(",")]
    has_steps = names.startswith("epoch,step,")
    kept = [row for row in whole if is_until(state, row.split(","), has_steps)]
    part = path.with_name(f"{path.name}.part")
    part.write_text("\n".join([names, *kept, ""]))
    part.replace(path)


def is_until(state, cells, has_steps):
    """Whether a row, of which these are the cells, was written before this state."""
    if not all(cell.isdecimal() for cell in cells[: 1 + has_steps]):
        return False
    epoch, step = int(cells[0]), int(cells[1]) if has_steps else 0
    is_begun = has_steps and epoch == state.epoch + 1 and step <= state.step
    return epoch <= state.epoch or is_begun


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


def pass_over(gan, state):
    """Have `fit` count the steps that were done before this state, but not do them.

    The last of them is done, for Keras makes the epoch's means in its first step only;
    then all is set to the state, these means as well.
    """
    gan.make_train_function()
    step, done = gan.train_function, 0

    def count_or_step(batches):
        nonlocal done
        done += 1
        if done > state.step:
            return step(batches)
        if done == state.step:
            step(batches)
            set_state(gan, state)
        elif keras.backend.backend() == "tensorflow":  # elsewhere they are drawn already
            next(batches)
        return {}

    gan.train_function = count_or_step


def start(gan, run, resume):
    """Set `gan` and the run folder to where training starts; return that State.

    The state of the start is saved, too: a run may be stopped in its first epoch. Several
    devices go on after a whole epoch.

    Raises:
        UserError: there is no usable state to resume.
    """
    if not resume:
        save_state(gan, 0, run)
        return BEGINNING
    state = go_back(gan, run, within=replicas_of(gan) == 1)
    if state.step:
        pass_over(gan, state)
    return state


def go_back(gan, run, within=True):
    """Bring `gan` and the run folder back to the last state, which is returned."""
    state = load_state(gan, run, within)
    for name in ("history.csv", "times.csv", "events.csv"):
        keep_rows_until(state, Path(run) / name)
    return state


@contextmanager
def kept_on_interrupt(gan, run, summarize):
    """On Ctrl-C, SIGTERM or SIGHUP, keep pictures and models of the last whole epoch.

    There are none of a state within an epoch. Says first how to go on, and passes the
    interrupt on.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        epoch, step, *_ = go_back(gan, run)
        place = f"epoch {epoch}" + f" and {step} steps" * (step > 0)
        print(f"\ninterrupted; to go on after {place}: --resume {run}", flush=True)
        if epoch > 0 and step == 0:
            with gan.averaged_generator():
                summarize(epoch)
            if not isinstance(stop, Terminated):  # who sends that does not wait for films
                draw_run(run, gan.ideal)
        raise
