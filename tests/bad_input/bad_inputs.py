"""Wrong inputs of every script: what `test_bad_input.py` tries, see docs/bad_inputs.md.

A case is a script, a function that makes files in the working directory and returns the
words of the command line, and words that the message must contain.
"""

import contextlib
import hashlib
import importlib
import io
import os
import re
import signal
import time
import warnings
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import NamedTuple
from unittest.mock import patch

from bad_files import walk
from bad_options import OPTIONS
from cases_of_data import DATA
from cases_of_models import MODELS
from cases_of_pictures import PICTURES
from cases_of_runs import RUNS

FILES = DATA | PICTURES | MODELS | RUNS
SECONDS = 20  # wall clock, of a machine that does other things besides


class Case(NamedTuple):
    """A wrong input."""

    script: str
    make: Callable  # () -> list of words
    expected: str
    code: int = 2
    alone: bool = False  # tried also in a new process
    settings: dict = {}  # of the environment  # noqa: RUF012


class Seen(NamedTuple):
    """The outcome of a case."""

    code: int | None
    printed: str  # on standard error
    seconds: float
    changed: list  # files


def typed(text):
    return lambda: text.split(" ") if text else []


ALONE = {
    "mnist_gan/train.py --batch-size 3", "mnist_gan/train.py --objective gan",
    "toy_gan/train_points.py --data triangle", "common/compare.py a b",
    "celeba_gan/pack_hdf5.py nowhere", "common/explore.py dance m.h5",
}  # fmt: skip


@cache
def cases():
    """All cases: name -> Case."""
    found = {}
    for script, rows in OPTIONS.items():
        for words, expected in rows:
            name = f"{script} {words}".strip()
            found[name] = Case(script, typed(words), expected, alone=name in ALONE)
    for name, (script, make, expected, *more) in FILES.items():
        settings = more[0] if more else {}
        found[f"{script}: {name}"] = Case(script, make, expected, **settings)
    return found


def snapshot():
    """Every file below the working directory, links as such: path -> what it is."""
    found = {}
    for folder, folders, names in walk("."):
        for name in (*folders, *names):
            path = os.path.join(folder, name)  # noqa: PTH118, of bytes and very deep ones
            status = os.lstat(path)
            found[path] = (status.st_mode, status.st_size * (name in names))
            if os.path.isfile(path) and status.st_size < 2**20:  # noqa: PTH113
                with open(path, "rb") as file:  # noqa: PTH123
                    found[path] += (hashlib.sha256(file.read()).hexdigest(),)
    return found


def stop(signum, frame):
    raise TimeoutError(f"no error within {SECONDS} s")


def observe(case):
    """Make the files of a case, call its script in this process, and look."""
    words = case.make()
    with patch.dict(os.environ):  # which benchmarks set for themselves
        main = importlib.import_module(case.script[:-3].replace("/", ".")).main
    before, code, stderr = snapshot(), None, io.StringIO()
    signal.signal(signal.SIGALRM, stop)
    signal.alarm(SECONDS)
    started = time.process_time()
    try:
        with (
            contextlib.redirect_stderr(stderr),
            contextlib.redirect_stdout(io.StringIO()),
            warnings.catch_warnings(record=True) as warned,
            patch.dict(os.environ, case.settings),
        ):
            warnings.simplefilter("ignore")
            for kind in (UserWarning, RuntimeWarning, FutureWarning):
                warnings.simplefilter("always", kind)  # as Python shows them by itself
            main(words)
    except SystemExit as end:
        code = end.code
    finally:
        signal.alarm(0)
    after = snapshot()
    changed = sorted(
        path
        for path in before.keys() | after.keys()
        if before.get(path) != after.get(path)
    )
    printed = stderr.getvalue() + "".join(f"{w.category.__name__}\n" for w in warned)
    return Seen(code, printed, time.process_time() - started, changed)


def shortened(printed, folder):
    """Return a message without what differs between machines, or is very long."""
    text = printed.removeprefix("error: ").strip()
    for place in (str(Path(folder).resolve()), str(folder)):
        text = text.replace(place, "FOLDER")
    return re.sub(r"(.)\1{20,}", r"\1\1\1\1...", text)
