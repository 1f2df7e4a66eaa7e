"""Where a training starts or goes on, and what is left of one that is interrupted."""

import json
from contextlib import contextmanager
from pathlib import Path

import keras

from common.cli import Terminated
from common.distribute import replicas_of
from common.errors import UserError
from common.folders import whole
from common.plotting import draw_run
from common.state import BEGINNING, WITHIN, load_state, save_state, set_state
from common.tables import whole_lines


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
    state = go_back(gan, run, within=replicas_of(gan) == 1)
    if state.step >= n_steps:
        raise UserError(
            f"{run}/{WITHIN} is of step {state.step} of {n_steps}: delete this file"
        )
    if state.step:
        pass_over(gan, state)
    return state


def go_back(gan, run, within=True):
    """Bring `gan` and the run folder back to the last state, which is returned."""
    state = load_state(gan, run, within)
    for name in ("history.csv", "times.csv", "events.csv"):
        keep_rows_until(state, Path(run) / name)
    keep_scores_until(state, Path(run) / "metrics.jsonl")
    return state


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
            shapes = [tuple(v.shape) for v in gan.metrics_variables]
            if [x.shape for x in state.metrics] != shapes:
                raise UserError("the state within the epoch is damaged: delete its file")
            set_state(gan, state)
        elif keras.backend.backend() == "tensorflow":  # elsewhere they are drawn already
            next(batches)
        return {}

    gan.train_function = count_or_step


def keep_rows_until(state, path):
    """Drop the rows of later steps, and what is left of a row that was cut off."""
    lines = whole_lines(path)
    has_steps = bool(lines) and lines[0].startswith("epoch,step,")
    rows = [row for row in lines[1:] if is_until(state, row.split(","), has_steps)]
    rewrite(path, lines[:1] + rows)


def keep_scores_until(state, path):
    """Drop the scores of later epochs, and what is left of a line that was cut off."""
    rewrite(path, [line for line in whole_lines(path) if not is_later(line, state)])


def rewrite(path, lines):
    """Write these lines into a file that is there."""
    if path.exists():
        with whole(path) as part:
            part.write_text("".join(f"{line}\n" for line in lines))


def is_later(line, state):
    """Whether a line of scores is of a later epoch; a damaged one is not dropped."""
    try:
        return json.loads(line)["epoch"] > state.epoch
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def is_until(state, cells, has_steps):
    """Whether a row, of which these are the cells, was written before this state."""
    if not all(cell.isdecimal() for cell in cells[: 1 + has_steps]):
        return False
    epoch, step = int(cells[0]), int(cells[1]) if has_steps else 0
    is_begun = has_steps and epoch == state.epoch + 1 and step <= state.step
    return epoch <= state.epoch or is_begun


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
        epoch, step, *_ = go_back(gan, run)
        print(f"saved: epoch {epoch}" + f" and {step} steps" * (step > 0), flush=True)
        if epoch > 0 and step == 0:
            with gan.averaged_generator():
                summarize(epoch)
            if not isinstance(stop, Terminated):  # who sends that does not wait for films
                draw_run(run, gan.ideal)
        raise
