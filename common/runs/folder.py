"""Run folders: `runs/mnist_gan/0001` holds everything that one run writes."""

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

HELD = ExitStack()  # the lock of the run folder that this process trains in


def new_run(project, run_dir=None):
    """Make a new run folder: `run_dir`, or the next number in `runs/<project>`.

    Args:
        project: name of the dataset folder, "mnist_gan".
        run_dir: path of the new folder, or None.

    Returns:
        Path of the run folder.

    Raises:
        UserError: `run_dir` is not empty, or the folder cannot be made.
    """
    try:
        if run_dir is not None:
            run = folder_of(run_dir, "--run-dir")
            with new_folders(run):
                if any(run.iterdir()):
                    raise UserError(
                        f"--run-dir {run} is not empty, and files are never overwritten: "
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
    """Return the Path of a run folder.

    Raises:
        UserError: the name is not UTF-8, which TensorBoard needs.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise UserError(
            f"{option} {name}: the name is not UTF-8; choose another"
        ) from None
    return Path(name).expanduser()


def probe(run):
    """Raise an OSError if nothing can be written into this folder."""
    (run / ".probe").touch()
    (run / ".probe").unlink()


def start_run(script, options, data, device):
    """Make a new run folder, or open the one of `--resume`.

    Args:
        script: path of the script below the repository, "mnist_gan/train.py".
        options: Namespace of all options.
        data: dict, see `datasets.Images.describe`.
        device: one line, see `devices.set_up`.

    Returns:
        Path of the run folder; its record, a dict. The record of a resumed run is not
        written yet, because its state may not match the models.

    Raises:
        UserError: the folder cannot be made, or the run to resume is finished, has no
            state, or was trained on other images.
    """
    if options.resume:
        return resumed_run(options, data, device)
    run = new_run(script.split("/")[0], options.run_dir)
    take(run)
    record = describe_run(script, options, data, device)
    write_record(run, record)
    return run, record


def resumed_run(options, data, device):
    """Return the folder of the run to resume, and its record; see `start_run`."""
    run = folder_of(options.resume, "--resume")
    record = read_options(run)
    take(run)  # before reading: another process may rename files meanwhile
    check_files(run)
    check_tables(run)
    before = record["data"]
    if before["fingerprint"] != data["fingerprint"]:
        raise UserError(
            f"--resume {run}: its images came from {before.get('source')} (fingerprint "
            f"{before['fingerprint']}), now they have {data['fingerprint']}: use the same"
        )
    path, state, _ = find_state(run) if has_begun(run) else (None, None, {})
    done = state.epoch if state else 0
    if done > options.epochs or (done == options.epochs and has_video(path)):
        raise UserError(f"{run} has finished {done} epochs: set a larger --epochs")
    if others := other_versions(record):
        print(f"not reproducible bit for bit, with {others}")
    now = {"options": vars(options), "device": device, "versions": all_versions()}
    return run, record | now


def take(run):
    """Lock a run folder until this process ends.

    Raises:
        UserError: another process trains in it, or it is not writable.
    """
    HELD.close()  # a process trains one run at a time
    try:
        HELD.enter_context(exclusive_lock(run, wait=False))
        probe(run)
    except BlockingIOError:
        raise UserError(
            f"{run} is in use by another process: wait for it, or start a new run"
        ) from None
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        raise UserError(
            f"{run} is not writable ({error.strerror}): copy it to a writable folder"
        ) from None


def has_video(state):
    """Return whether the video is newer than this state: it is a run's last file."""
    video = state.with_name(VIDEO)
    return video.exists() and video.stat().st_mtime >= state.stat().st_mtime
