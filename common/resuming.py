"""Where a training starts or goes on, and what is left of one that is interrupted."""

from contextlib import contextmanager
from pathlib import Path

import keras

from common.cli import Terminated
from common.distribute import replicas_of
from common.folders import whole
from common.plotting import draw_run
from common.state import BEGINNING, load_state, save_state, set_state


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


def keep_rows_until(state, path):
    """Drop the rows of later steps, and what is left of a row that was cut off."""
    if not path.exists() or path.stat().st_size == 0:
        return
    names, *rows = path.read_text(errors="replace").splitlines()
    rows = [row for row in rows if row.count(",") == names.count(",")]
    has_steps = names.startswith("epoch,step,")
    kept = [row for row in rows if is_until(state, row.split(","), has_steps)]
    with whole(path) as part:
        part.write_text("\n".join([names, *kept, ""]))


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
        epoch, step, *_ = go_back(gan, run)
        place = f"epoch {epoch}" + f" and {step} steps" * (step > 0)
        print(f"\ninterrupted; to go on after {place}: --resume {run}", flush=True)
        if epoch > 0 and step == 0:
            with gan.averaged_generator():
                summarize(epoch)
            if not isinstance(stop, Terminated):  # who sends that does not wait for films
                draw_run(run, gan.ideal)
        raise
