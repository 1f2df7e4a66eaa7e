"""Run a contender in its own process: an input line "BATCH K" runs K training steps.

    python benchmarks/worker.py ours|textbook|torch_pair DATASET PRECISION IMAGES.npy

It replies in lines of JSON: first `versions`, when it is ready, then for each line the
`seconds` of each step. Between two lines it waits and uses no CPU.
"""

import importlib
import json
import os
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

PACKAGES = {
    "ours": ("keras", "tensorflow", "numpy"),
    "textbook": ("tf-keras", "tensorflow"),
    "torch_pair": ("torch",),
}


def main():
    """Reply to the lines of stdin until its end."""
    contender, dataset, precision, images = sys.argv[1:]
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keeps output of libraries out of the replies
    module = importlib.import_module(f"benchmarks.{contender}")
    run = module.stepper(dataset, precision, np.load(images))
    versions = {name: package_version(name) for name in PACKAGES[contender]}
    write_reply(replies, versions=versions)
    for line in sys.stdin:
        n_batch, k = map(int, line.split())
        write_reply(replies, seconds=run(n_batch, k))


def write_reply(file, **reply):
    print(json.dumps(reply), file=file, flush=True)


def package_version(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


if __name__ == "__main__":
    main()
