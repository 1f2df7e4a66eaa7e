"""Create, open and lock run folders such as `runs/mnist_gan/0001`.

A run writes all its files into its folder.
"""

import errno
from contextlib import ExitStack, suppress
from itertools import count
from pathlib import Path

from common.basics.errors import UserError, as_user_error
from common.basics.files import exclusive_lock, new_folders
from common.runs.checks import check_files, check_tables
from common.runs.layout import VIDEO
from common.runs.record import (
    all_versions,
    changed_versions,
    describe_run,
    read_options,
    write_record,
)
from common.runs.state import find_state, has_begun

LOCK = ExitStack()  # holds the lock of the run folder that this process trains in


def new_run(project, run_dir=None):
    """Create a run folder: `run_dir`, or the next number in `runs/<project>`.

    Args:
        project: name of the dataset folder, "mnist_gan".
        run_dir: path of the new folder, or None.

    Returns:
        Path of the run folder.

    Raises:
        UserError: `run_dir` is not empty, or the folder cannot be made.
    """
    parent = Path("runs") / project
    what = f"cannot make the run folder {run_dir or f'in {parent}'}"
    with as_user_error(what, "choose another with --run-dir"):
        if run_dir is not None:
            run = folder_of(run_dir, "--run-dir")
            with new_folders(run):
                if any(run.iterdir()):
                    raise UserError(
                        f"--run-dir {run} is not empty, and files are never overwritten: "
                        "name a new folder"
                    )
                check_writable(run)
            return run
        parent.mkdir(parents=True, exist_ok=True)
        numbers = [int(p.name) for p in parent.iterdir() if p.name.isdecimal()]
        for number in count(max(numbers, default=0) + 1):
            run = parent / f"{number:04d}"
            with suppress(FileExistsError):  # created by another run meanwhile
                run.mkdir()
                return run


def folder_of(name, option):
    """Return the Path of a run folder.

    Raises:
        UserError: the name is not UTF-8, which TensorBoard needs.
    """
    with as_user_error(f"{option} {name}: the name is not UTF-8", "rename it"):
        name.encode()
    return Path(name).expanduser()


def check_writable(run):
    """Raise an OSError if files cannot be created in this folder."""
    (run / ".probe").touch()
    (run / ".probe").unlink()


def start_run(script, options, data, device):
    """Create a run folder, or open the folder of `--resume`.

    Args:
        script: path of the script below the repository, "mnist_gan/train.py".
        options: Namespace of all options.
        data: dict, see `datasets.Images.describe`.
        device: one line, see `devices.set_up`.

    Returns:
        Path of the run folder; its record, a dict. The record of a resumed run is written
        later, because its state may not match the models.

    Raises:
        UserError: the folder cannot be created, or the run to resume is finished, has no
            state, or was trained on other images.
    """
    if options.resume:
        return resumed_run(options, data, device)
    run = new_run(script.split("/")[0], options.run_dir)
    lock_run(run)
    record = describe_run(script, options, data, device)
    write_record(run, record)
    return run, record


def resumed_run(options, data, device):
    """Return the folder of the run to resume, and its record; see `start_run`."""
    run = folder_of(options.resume, "--resume")
    record = read_options(run)
    lock_run(run)  # before validation: another process could rename files meanwhile
    check_files(run)
    check_tables(run)
    recorded = record["data"]
    if recorded["fingerprint"] != data["fingerprint"]:
        raise UserError(
            f"--resume {run}: its images came from {recorded.get('source')} (fingerprint "
            f"{recorded['fingerprint']}), the images now given have "
            f"{data['fingerprint']}: name the same images with --data"
        )
    if has_begun(run):
        path, state, _ = find_state(run)
        left = options.epochs - state.epoch
        if left < 0 or (left == 0 and has_video(path)):
            raise UserError(
                f"{run} is finished, epochs: {state.epoch}; set a larger --epochs"
            )
    if changes := changed_versions(record):
        print(f"not reproducible bit for bit, with {changes}")
    now = {"options": vars(options), "device": device, "versions": all_versions()}
    return run, record | now


def lock_run(run):
    """Lock a run folder until this process ends or locks another.

    Raises:
        UserError: another process trains in it, or it is not writable.
    """
    LOCK.close()  # a process trains one run at a time
    try:
        LOCK.enter_context(exclusive_lock(run, wait=False))
        check_writable(run)
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
    """Return whether the video, the last file of a run, is newer than a state file."""
    video = state.with_name(VIDEO)
    return video.exists() and video.stat().st_mtime >= state.stat().st_mtime
