"""Write and validate `options.json`, the record that makes a run reproducible."""

import json
import platform
import subprocess
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from common.basics.errors import UserError, as_user_error
from common.basics.files import atomic_write
from common.devices import onednn
from common.runs.layout import FORMAT, OPTIONS
from common.safety.arrays import check_file

ROOT = Path(__file__).resolve().parents[2]
# They select the training images.
DATA_OPTIONS = ("data", "size", "crop", "attribute", "limit")
MAX_BYTES = 2**20  # of the file, which has about 3000
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


def changed_versions(record):
    """Return the versions that differ from those in a run's record: a str, or ""."""
    recorded = record.get("versions", {})
    return ", ".join(
        f"{name} {current} (the run's: {recorded.get(name, 'unknown')})"
        for name, current in all_versions().items()
        if recorded.get(name, "unknown") not in (None, current)
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
        command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty"]
        process = subprocess.run(command, capture_output=True, text=True)
    except OSError:
        return None
    return process.stdout.strip() or None


def read_options(run):
    """Read the `options.json` of a run folder, of this format or an older one.

    Returns:
        dict, see `describe_run`.

    Raises:
        UserError: the folder or the file is missing; the file cannot be read, is not
            JSON, or does not describe a run; or its format is newer than FORMAT.
    """
    path = Path(run).expanduser() / OPTIONS
    if not path.exists():
        is_folder = path.parent.is_dir()
        why = f"it has no {OPTIONS}" if is_folder else "there is no such folder"
        raise UserError(f"{run} is not a run folder: {why}; name one of runs/")
    check_file(path, MAX_BYTES)
    restore = "restore it from a copy, or name another run"
    with as_user_error(f"{path} cannot be read", f"check its permissions, or {restore}"):
        text = path.read_text()
    with as_user_error(f"{path} is not valid JSON, {text[:60]!r}", restore):
        record = json.loads(text)
    with as_user_error(f"{path} does not describe a run", restore):
        check_record(record)
        if "epochs" not in record["options"]:
            raise ValueError(f"options is {record['options']!r:.60}, without epochs")
    if record.get("format", 1) > FORMAT:
        raise UserError(f"{path} {format_of(record)}; update these scripts")
    return record


def format_of(record):
    """Return a part of a message: the format of a record, and the current one."""
    made_by = f", commit {record['commit']}" if record.get("commit") else ""
    return (
        f"has format {record.get('format', 1)}{made_by}, and these scripts use {FORMAT}"
    )


def check_record(record):
    """Raise a ValueError unless a decoded JSON value describes a run."""
    if not isinstance(record, dict):
        raise ValueError(f"expected a JSON object, found {record!r:.60}")
    check_types(record, script=str, options=dict, data=dict)
    check_types({"versions": {}, "format": 1} | record, versions=dict, format=int)
    data = {"name": "", "source": ""} | record["data"]
    check_types(data, fingerprint=str, name=str, source=str)


def check_types(values, **types):
    """Raise a ValueError if a value of a decoded JSON object is missing or mistyped."""
    for name, expected in types.items():
        if type(values.get(name)) is not expected:
            found = f"{values[name]!r:.60}" if name in values else "missing"
            raise ValueError(f"{name} is {found}, expected type {expected.__name__}")


def trained_on(run):
    """Return the part of a run's record that its model files store, to find its images.

    Returns:
        dict of `script`, `options` (DATA_OPTIONS only) and `data`; None if the folder has
        no valid record.
    """
    try:
        record = read_options(run)
    except UserError:
        return None
    options = {n: x for n, x in record["options"].items() if n in DATA_OPTIONS}
    return {"script": record["script"], "options": options, "data": record["data"]}


def write_record(run, record):
    """Write `options.json` atomically."""
    with atomic_write(run / OPTIONS) as part:
        part.write_text(json.dumps(record, indent=2) + "\n")
