"""Where a training starts or goes on, and what is left of one that is interrupted."""

import json
from contextlib import contextmanager
from pathlib import Path

import keras

from common.basics.cli import Terminated
from common.basics.errors import UserError
from common.basics.files import whole
from common.fitting.distributed import replicas_of
from common.plotting import draw_run
from common.runs.state import BEGINNING, WITHIN, load_state, save_state, set_state
from common.runs.tables import AS_IT_IS, lines_of


def start(gan, run, resume, n_steps):
    """Set `gan` and the run folder to where training starts; return that State.

    The state of the start is saved, too: a run may be stopped in its first epoch. Several
    devices go on after a whole epoch.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.
        resume: whether to go on with the state that is there.
        n_steps: steps of an epoch.

    Raises:
        UserError: there is no usable state to resume.
    """
    if not resume:
        save_state(gan, 0, run)
        return BEGINNING
    state = load_state(gan, run, within=replicas_of(gan) == 1)
    if state.step >= n_steps:
        raise UserError(
            f"{run}/{WITHIN} is of step {state.step} of {n_steps}: delete this file"
        )
    cut_tables(state, run)
    if state.step:
        pass_over(gan, state)
    return state


def cut_tables(state, run):
    """Drop what a run folder's tables tell of what came after this state."""
    for name in ("history.csv", "times.csv", "events.csv"):
        keep_rows_until(state, Path(run) / name)
    keep_scores_until(state, Path(run) / "metrics.jsonl")


def pass_over(gan, state):
    """Have `fit` count the steps that were done before this state, but not do them.

    At the last of them all is set to the state, the epoch's means as well, which `fit`
    has reset when the epoch began.
    """
    gan.make_train_function()
    step, done = gan.train_function, 0

    def count_or_step(batches):
        nonlocal done
        done += 1
        if done > state.step:
            return step(batches)
        if keras.backend.backend() == "tensorflow":  # elsewhere they are drawn already
            next(batches)
        if done == state.step:
            shapes = [tuple(v.shape) for v in gan.metrics_variables]
            if [x.shape for x in state.metrics] != shapes:
                raise UserError("the state within the epoch is damaged: delete its file")
            set_state(gan, state)
        return {}

    gan.train_function = count_or_step


def keep_rows_until(state, path):
    """Drop the rows of later steps, and what is left of a row that was cut off."""
    lines, cut_off = lines_of(path)
    names = lines[0].split(",") if lines else []
    kept = [row for row in [*lines[1:], cut_off] if is_until(state, row, names)]
    rewrite(path, (lines, cut_off), lines[:1] + kept)


def keep_scores_until(state, path):
    """Drop the scores of later epochs, and what is left of a line that was cut off."""
    lines, cut_off = lines_of(path)
    kept = [line for line in lines if not is_later(line, state, damaged=False)]
    kept += [] if is_later(cut_off, state, damaged=True) else [cut_off]
    rewrite(path, (lines, cut_off), kept)


def rewrite(path, before, lines):
    """Write these lines into a file, unless `lines_of` found just them before."""
    if before != (lines, ""):
        with whole(path) as part:
            part.write_text("".join(f"{line}\n" for line in lines), **AS_IT_IS)


def is_later(line, state, damaged):
    """Whether a line of scores is of a later epoch; `damaged` where it cannot be read."""
    try:
        return json.loads(line)["epoch"] > state.epoch
    except (ValueError, KeyError, TypeError, RecursionError):
        return damaged


def is_until(state, row, names):
    """Whether a row of a table with these columns was written before this state."""
    cells, has_steps = row.split(","), names[1:2] == ["step"]
    try:
        numbers = [float(cell) for cell in cells[: 1 + has_steps]]
    except ValueError:
        return False
    last = [state.epoch + 1, state.step] if has_steps else [state.epoch]
    return len(cells) == len(names) and numbers <= last


@contextmanager
def kept_on_interrupt(gan, run, summarize):
    """On Ctrl-C, SIGTERM or SIGHUP, keep pictures and models of the last whole epoch.

    There are none of a state within an epoch. Says first how to go on, and passes the
    interrupt on.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        print(f"\ninterrupted; to go on: --resume {run}", flush=True)
        state = load_state(gan, run)
        cut_tables(state, run)
        epoch, step = state.epoch, state.step
        print(f"saved: epoch {epoch}" + f" and {step} steps" * (step > 0), flush=True)
        if epoch > 0 and step == 0:
            with gan.averaged_generator():
                summarize(epoch)
            if not isinstance(stop, Terminated):  # who sends that does not wait for films
                draw_run(run, gan.ideal)
        raise
