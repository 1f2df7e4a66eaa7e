"""Run folders: `runs/mnist_gan/0001` holds everything that one run made."""

import errno
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

from common.basics.errors import UserError
from common.basics.files import exclusive_lock, new_folders
from common.runs.checks import check_files, check_tables
from common.runs.layout import VIDEO
from common.runs.record import (
    all_versions,
    describe_run,
    other_versions,
    read_options,
    write_record,
)
from common.runs.state import find_state, has_begun

HELD = ExitStack()  # the lock of the run folder that this process has taken


def new_run(project, run_dir=None):
    """Make a new run folder: `run_dir`, or the next number in `runs/<project>`.

    Raises:
        UserError: `run_dir` holds something, or the folder cannot be made.
    """
    try:
        if run_dir is not None:
            run = folder_of(run_dir, "--run-dir")
            with new_folders(run):
                if any(run.iterdir()):
                    raise UserError(
                        f"--run-dir {run} is not empty, and nothing is ever overwritten: "
                        "name a new folder"
                    )
                probe(run)
            return run
        parent = Path("runs") / project
        parent.mkdir(parents=True, exist_ok=True)
        last = max(
            (int(p.name) for p in parent.iterdir() if p.name.isdecimal()), default=0
        )
        for number in count(last + 1):
            run = parent / f"{number:04d}"
            with suppress(FileExistsError):  # another run was faster
                run.mkdir()
                return run
    except OSError as error:
        raise UserError(
            f"cannot make the run folder: {error}; choose another with --run-dir"
        ) from None


def folder_of(name, option):
    """The Path of a run folder; TensorBoard writes only where names are of UTF-8."""
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{option} {name}: the name is no UTF-8; choose another one"
        ) from None
    return Path(name).expanduser()


def probe(run):
    """Raise the OSError that writing into this folder raises, if it does."""
    (run / ".probe").touch()
    (run / ".probe").unlink()


def start_run(script, options, data, device):
    """The folder of the run that these options ask for: a new one, or the resumed one.

    And the record of it, which is still to be written where the run is a resumed one: its
    state may not fit.

    Args:
        script: path of the script below the repository, "mnist_gan/train.py".
        options: Namespace of all options.
        data: dict, see `datasets.Images.describe`.
        device: one line, see `devices.set_up`.

    Raises:
        UserError: the folder cannot be made, or the run to go on with is finished, has
            no state, or had other data.
    """
    if options.resume:
        return resumed_run(options, data, device)
    run = new_run(script.split("/")[0], options.run_dir)
    take(run)
    record = describe_run(script, options, data, device)
    write_record(run, record)
    return run, record


def resumed_run(options, data, device):
    """The folder of the run that is resumed, and its record; see `start_run`."""
    run = folder_of(options.resume, "--resume")
    record = read_options(run)
    take(run)  # first: a process that trains in it renames files meanwhile
    check_files(run)
    check_tables(run)
    before = record["data"]
    if before["fingerprint"] != data["fingerprint"]:
        raise UserError(
            f"--resume {run}: its images came from {before.get('source')} "
            f"({before['fingerprint']}), now there are others ({data['fingerprint']})"
        )
    path, state, _ = find_state(run) if has_begun(run) else (None, None, {})
    done = state.epoch if state else 0
    if done > options.epochs or (done == options.epochs and has_video(path)):
        raise UserError(f"{run} has finished {done} epochs: ask for more with --epochs")
    if others := other_versions(record):
        print(f"not bit for bit, with {others}")
    now = {"options": vars(options), "device": device, "versions": all_versions()}
    return run, record | now


def take(run):
    """Keep other processes from training in a run folder, until this one ends.

    Raises:
        UserError: another one does, or nothing may be written into it.
    """
    HELD.close()  # a process trains one run at a time
    try:
        HELD.enter_context(exclusive_lock(run, wait=False))
        probe(run)
    except BlockingIOError:
        raise UserError(
            f"{run} is being trained by another process: wait for it, or start a new run"
        ) from None
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise UserError(
            f"{run} cannot be written ({error.strerror}): copy it where it can be"
        ) from None


def has_video(state):
    """Whether the video was made after this state, the run's last: a run's last act."""
    video = state.with_name(VIDEO)
    return video.exists() and video.stat().st_mtime >= state.stat().st_mtime
