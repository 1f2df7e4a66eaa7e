"""Start or resume training in a run folder, and save results on an interrupt."""

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
    """Set a GAN and its run folder to the state in which training starts.

    The initial state is saved also, because a run may be stopped in its first epoch.

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
    truncate_tables(gan, epoch, run)
    return epoch


def truncate_tables(gan, epoch, run):
    """Remove incomplete rows and rows of later epochs from the tables of a run.

    Args:
        gan: gan.GAN; its `health` has the number of lines of `events.csv`.
        epoch: number of finished epochs.
        run: Path of the run folder.
    """
    for name in (HISTORY, TIMES):
        keep_rows_until(epoch, Path(run) / name)
    lines, rest = lines_of(Path(run) / EVENTS)
    if gan.health.events >= 0:
        rewrite(Path(run) / EVENTS, (lines, rest), lines[: gan.health.events])
    keep_scores_until(epoch, Path(run) / METRICS)


def keep_rows_until(epoch, path):
    """Remove rows of later epochs, and an incomplete last row, from a CSV file."""
    lines, rest = lines_of(path)
    names = lines[0].split(",") if lines else []
    kept = [row for row in [*lines[1:], rest] if is_until(epoch, row, names)]
    rewrite(path, (lines, rest), lines[:1] + kept)


def keep_scores_until(epoch, path):
    """Remove scores of later epochs, and an incomplete last line, from JSON Lines."""
    lines, rest = lines_of(path)
    kept = [line for line in lines if not is_later(line, epoch, if_unreadable=False)]
    kept += [] if is_later(rest, epoch, if_unreadable=True) else [rest]
    rewrite(path, (lines, rest), kept)


def rewrite(path, before, lines):
    """Write lines to a file, unless it has exactly these.

    Args:
        path: Path of the file.
        before: result of `lines_of(path)`.
        lines: list of str.
    """
    if before != (lines, ""):
        with atomic_write(path) as part:
            part.write_text("".join(f"{line}\n" for line in lines), **AS_IT_IS)


def is_later(line, epoch, if_unreadable):
    """Return whether a line of scores is of a later epoch, or `if_unreadable`."""
    try:
        return json.loads(line)["epoch"] > epoch
    except (ValueError, KeyError, TypeError, RecursionError):
        return if_unreadable


def is_until(epoch, row, names):
    """Return whether a row has all columns and is not of a later epoch."""
    cells = row.split(",")
    try:
        return len(cells) == len(names) and float(cells[0]) <= epoch
    except ValueError:
        return False


@contextmanager
def save_on_interrupt(gan, run, summarize):
    """Return a context that saves the last complete epoch on Ctrl-C, SIGTERM or SIGHUP.

    It prints how to resume, saves the image grid and the models, and raises the interrupt
    again.

    Args:
        gan: gan.GAN.
        run: Path of the run folder.
        summarize: function of the number of finished epochs.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        print(f"\ninterrupted: resume with --resume {run}", flush=True)
        epoch = load_state(gan, run)
        truncate_tables(gan, epoch, run)
        print(f"saved: epoch {epoch}", flush=True)
        if epoch > 0:
            with gan.averaged_generator():
                summarize(epoch)
            # The sender of a signal does not wait for a video.
            if not isinstance(interrupt, Terminated):
                draw_run(run, gan.equilibrium_loss)
        raise
