"""Start or resume training in a run folder, and save the results of an interrupt."""

import json
from contextlib import contextmanager
from pathlib import Path

from common.basics.files import atomic_write
from common.basics.signals import Terminated
from common.plotting import draw_run
from common.runs.layout import EVENTS, HISTORY, METRICS, TIMES
from common.runs.state import load_state, save_state
from common.runs.tables import AS_IT_IS, lines_of


def start(gan, run, resume):
    """Set `gan` and the run folder to the state in which training starts.

    The initial state is saved also: a run may be stopped in its first epoch.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.
        resume: whether to resume from the saved state.

    Returns:
        the number of finished epochs.

    Raises:
        UserError: there is no usable state to resume.
    """
    if not resume:
        save_state(gan, 0, run)
        return 0
    epoch = load_state(gan, run)
    cut_tables(epoch, run)
    return epoch


def cut_tables(epoch, run):
    """Drop rows of later epochs and truncated rows from the tables of a run folder."""
    for name in (HISTORY, TIMES, EVENTS):
        keep_rows_until(epoch, Path(run) / name)
    keep_scores_until(epoch, Path(run) / METRICS)


def keep_rows_until(epoch, path):
    """Drop rows of later epochs, and a truncated last row, from a CSV file."""
    lines, cut_off = lines_of(path)
    names = lines[0].split(",") if lines else []
    kept = [row for row in [*lines[1:], cut_off] if is_until(epoch, row, names)]
    rewrite(path, (lines, cut_off), lines[:1] + kept)


def keep_scores_until(epoch, path):
    """Drop scores of later epochs, and a truncated last line, from a JSON Lines file."""
    lines, cut_off = lines_of(path)
    kept = [line for line in lines if not is_later(line, epoch, damaged=False)]
    kept += [] if is_later(cut_off, epoch, damaged=True) else [cut_off]
    rewrite(path, (lines, cut_off), kept)


def rewrite(path, before, lines):
    """Write lines into a file, unless it has exactly these lines (see `lines_of`)."""
    if before != (lines, ""):
        with atomic_write(path) as part:
            part.write_text("".join(f"{line}\n" for line in lines), **AS_IT_IS)


def is_later(line, epoch, damaged):
    """Return whether a line of scores is of a later epoch; `damaged` if unreadable."""
    try:
        return json.loads(line)["epoch"] > epoch
    except (ValueError, KeyError, TypeError, RecursionError):
        return damaged


def is_until(epoch, row, names):
    """Return whether a row is complete (has all columns) and not of a later epoch."""
    cells = row.split(",")
    try:
        return len(cells) == len(names) and float(cells[0]) <= epoch
    except ValueError:
        return False


@contextmanager
def kept_on_interrupt(gan, run, summarize):
    """Save grids and models of the last complete epoch on Ctrl-C, SIGTERM or SIGHUP.

    Print first how to resume; raise the interrupt again at the end.
    """
    try:
        yield
    except KeyboardInterrupt as stop:
        print(f"\ninterrupted: resume with --resume {run}", flush=True)
        epoch = load_state(gan, run)
        cut_tables(epoch, run)
        print(f"saved: epoch {epoch}", flush=True)
        if epoch > 0:
            with gan.averaged_generator():
                summarize(epoch)
            if not isinstance(stop, Terminated):  # its sender does not wait for a video
                draw_run(run, gan.ideal)
        raise
