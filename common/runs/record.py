"""`options.json`: the record that makes a run reproducible."""

import json
import platform
import subprocess
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from common.basics.errors import UserError
from common.basics.files import atomic_write
from common.devices import onednn
from common.runs.layout import FORMAT, OPTIONS
from common.safety.arrays import check_file

ROOT = Path(__file__).resolve().parents[2]
CHOOSE_IMAGES = ("data", "size", "crop", "attribute")
MOST_BYTES = 2**20  # of the file, which has some 3000
PACKAGES = ("keras", "tensorflow", "numpy")


def describe_run(script, options, data, device):
    """Return the record of a new run, a dict to be written as JSON.

    Args:
        script: path of the script below the repository, "mnist_gan/train.py".
        options: Namespace of all options.
        data: dict, see `datasets.Images.describe`.
        device: one line, see `devices.set_up`.
    """
    return {
        "format": FORMAT,
        "script": script,
        "options": vars(options),
        "data": data,
        "device": device,
        "versions": all_versions(),
        "commit": commit(),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
    }


def all_versions():
    """Return the versions that results depend on, a dict; call it after `set_up`."""
    return {"python": platform.python_version(), **versions(), "oneDNN": onednn()}


def other_versions(record):
    """Return the versions, or oneDNN, that differ from those of a run, a text or ""."""
    then = record.get("versions", {})
    return ", ".join(
        f"{name} {now} (the run's: {then.get(name, 'unknown')})"
        for name, now in all_versions().items()
        if then.get(name, "unknown") not in (None, now)
    )


def versions():
    """Return the versions of PACKAGES, a dict; None where one is missing."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = None
    return found


def commit():
    """Return the repository's commit, with `-dirty` for changes; None without git."""
    try:
        words = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
        answer = subprocess.run(words, capture_output=True, text=True)
    except OSError:
        return None
    return answer.stdout.strip() or None


def read_options(run):
    """Read the `options.json` of a run folder, of this format or an older one.

    Returns:
        dict, see `describe_run`.

    Raises:
        UserError: it is not a run folder, or its format is newer than FORMAT.
    """
    path = Path(run).expanduser() / OPTIONS
    if path.exists():
        check_file(path, MOST_BYTES)
    try:
        record = json.loads(path.read_text())
        check_record(record)
        record["options"]["epochs"]
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UserError(
            f"{run} is not a run folder (it has no readable {OPTIONS}): name another"
        ) from None
    if record.get("format", 1) > FORMAT:
        raise UserError(f"{path} {format_of(record)}; update these scripts")
    return record


def format_of(record):
    """Return the format of a record and the current one, as a part of a message."""
    made_by = f", commit {record['commit']}" if record.get("commit") else ""
    return (
        f"has format {record.get('format', 1)}{made_by}, and these scripts use {FORMAT}"
    )


def check_record(record):
    """Raise a LookupError or a TypeError unless a decoded JSON value describes a run."""
    data, options = record["data"], record["options"]
    texts = [record["script"], data["fingerprint"]]
    texts += [data.get(name, "") for name in ("name", "source")]
    dicts = (options, record.get("versions", {}))
    if not (
        all(isinstance(x, dict) for x in dicts)
        and all(isinstance(x, str) for x in texts)
        and type(record.get("format", 1)) is int
    ):
        raise TypeError


def trained_on(run):
    """Return the part of a run's record that is saved in its models, to find its images.

    Returns:
        dict of the script, the options that choose images, and their description; None
        where the folder has no readable record.
    """
    try:
        record = read_options(run)
    except UserError:
        return None
    chosen = {n: record["options"][n] for n in CHOOSE_IMAGES if n in record["options"]}
    return {"script": record["script"], "options": chosen, "data": record["data"]}


def write_record(run, record):
    """Write `options.json` atomically."""
    with atomic_write(run / OPTIONS) as part:
        part.write_text(json.dumps(record, indent=2) + "\n")
