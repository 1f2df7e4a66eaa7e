"""Run folders: `runs/mnist_gan/0001` holds everything that one run made."""

import errno
import fcntl
import json
import os
import platform
import subprocess
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from common.basics.errors import UserError
from common.basics.files import gone_if_in_vain, make_folders, whole
from common.devices import onednn
from common.runs.state import BEGINNING, find_state, has_begun
from common.safety.arrays import check_file

ROOT = Path(__file__).resolve().parents[2]
MAY_CHANGE = {  # when a run is resumed
    "data", "epochs", "save_every", "save_every_steps", "device", "devices", "resume",
    "on_collapse", "track", "evaluate_every",
}  # fmt: skip
CHOOSE_IMAGES = ("data", "size", "crop", "attribute")
HELD = []  # the open run folder that this process has taken
MOST_JSON = 2**20  # bytes of an options.json, which has some 3000
PACKAGES = ("keras", "tensorflow", "numpy")


def new_run(project, run_dir=None):
    """Make a new run folder: `run_dir`, or the next number in `runs/<project>`.

    Raises:
        UserError: `run_dir` holds something, or the folder cannot be made.
    """
    try:
        if run_dir is not None:
            run = folder_of(run_dir, "--run-dir")
            with gone_if_in_vain(make_folders(run)):
                if any(run.iterdir()):
                    raise UserError(
                        f"--run-dir {run} is not empty, and nothing is ever overwritten: "
                        "name a new folder"
                    )
                probe(run)
            return run
        parent = Path("runs") / project
        parent.mkdir(parents=True, exist_ok=True)
        number = max(
            (int(p.name) for p in parent.iterdir() if p.name.isdecimal()), default=0
        )
        while True:
            number += 1
            run = parent / f"{number:04d}"
            try:
                run.mkdir()
                return run
            except FileExistsError:  # another run was faster
                continue
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
        from common.runs.checks import check_files, check_tables

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
        path, state, _ = find_state(run) if has_begun(run) else (None, BEGINNING, {})
        done = state.epoch
        is_beyond = (done, state.step) > (options.epochs, 0)
        if is_beyond or (done == options.epochs and is_drawn(path)):
            raise UserError(
                f"{run} has finished {done} epochs: ask for more with --epochs"
            )
        if others := other_versions(record):
            print(f"not bit for bit, with {others}")
        now = {"options": vars(options), "device": device, "versions": all_versions()}
        return run, record | now
    run = new_run(script.split("/")[0], options.run_dir)
    take(run)
    record = describe_run(script, options, data, device)
    write_record(run, record)
    return run, record


def take(run):
    """Keep other processes from training in a run folder, until this one ends.

    Raises:
        UserError: another one does, or nothing may be written into it.
    """
    while HELD:  # a process trains one run at a time
        os.close(HELD.pop())
    try:
        HELD.append(os.open(run, os.O_RDONLY))
        fcntl.flock(HELD[0], fcntl.LOCK_EX | fcntl.LOCK_NB)
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


def is_drawn(state):
    """Whether the film was made after this state, the run's last: a run's last act."""
    film = state.with_name("training.gif")
    return film.exists() and film.stat().st_mtime >= state.stat().st_mtime


def describe_run(script, options, data, device):
    """What is needed to know a run, and to repeat it; arguments as start_run's."""
    return {
        "script": script,
        "options": vars(options),
        "data": data,
        "device": device,
        "versions": all_versions(),
        "commit": commit(),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def all_versions():
    """Return what decides about results to the last bit; call it after `set_up`."""
    return {"python": platform.python_version(), **versions(), "oneDNN": onednn()}


def other_versions(record):
    """Return which versions, or oneDNN, differ from a run's first ones; "" if none."""
    then = record.get("versions", {})
    return ", ".join(
        f"{name} {now} (the run's: {then.get(name, 'unknown')})"
        for name, now in all_versions().items()
        if then.get(name, "unknown") not in (None, now)
    )


def versions():
    """Versions of the packages that decide about results; None where one is missing."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def commit():
    """The repository's commit, with `-dirty` where files differ; None without git."""
    try:
        words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
        answer = subprocess.run(words, capture_output=True, text=True)
    except OSError:
        return None
    return answer.stdout.strip() or None


def read_options(run):
    """Read the `options.json` of a run folder.

    Raises:
        UserError: it is not a run folder.
    """
    path = Path(run).expanduser() / "options.json"
    if path.exists():
        check_file(path, MOST_JSON)
    try:
        record = json.loads(path.read_text())
        check_record(record)
        record["options"]["epochs"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError,
            RecursionError):  # fmt: skip
        raise UserError(
            f"{run} is not a run folder: it has no readable options.json"
        ) from None
    return record


def check_record(record):
    """Raise what read_options catches unless this tells of a run, by its types, too."""
    data, options = record["data"], record["options"]
    texts = [record["script"], data["fingerprint"]]
    texts += [data.get(name, "") for name in ("name", "source")]
    dicts = (options, record.get("versions", {}))
    if not all(isinstance(x, dict) for x in dicts) or not all(
        isinstance(x, str) for x in texts
    ):
        raise TypeError


def trained_on(run):
    """What a model file keeps of the run that made it, to find its images again.

    Returns:
        dict of the script, of the options that choose images and of their description;
        None where the folder does not tell.
    """
    try:
        record = read_options(run)
    except UserError:
        return None
    chosen = {n: record["options"][n] for n in CHOOSE_IMAGES if n in record["options"]}
    return {"script": record["script"], "options": chosen, "data": record["data"]}


def resumed_options(run, script, given):
    """The options of a run that is resumed: the run's own, but for what may change.

    Args:
        run: the run folder.
        script: path of the script below the repository.
        given: dict of the options that were typed now.

    Raises:
        UserError: not a run of this script, or another option than then was typed.
    """
    record = read_options(run)
    if record["script"] != script:
        raise UserError(f"--resume {run} is a run of {record['script']}, not of {script}")
    options = record["options"]
    others = [
        f"--{name.replace('_', '-')} {value} (the run's: {options.get(name)})"
        for name, value in given.items()
        if name not in MAY_CHANGE and options.get(name) != value
    ]
    if others:
        raise UserError(
            f"--resume {run}: {', '.join(others)}: leave out what differs, or start "
            "a new run"
        )
    return {**options, **{k: v for k, v in given.items() if k in MAY_CHANGE}}


def find_in_runs(name):
    """The newest file of this name in the run folders under `runs/`, or None."""
    found = Path("runs").glob(f"*/*/{name}")
    return max(found, key=lambda path: path.stat().st_mtime, default=None)


def write_record(run, record):
    """Write `options.json`, as a whole or not at all."""
    with whole(run / "options.json") as part:
        part.write_text(json.dumps(record, indent=2) + "\n")
