"""Run a contender as its own process: a line "BATCH K" runs K training steps.

    python benchmarks/worker.py ours|textbook|torch_pair DATASET PRECISION IMAGES.npy

It answers in lines of JSON: first `versions`, when it is ready, then for each line the
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
    """Answer lines of stdin until its end."""
    contender, dataset, precision, images = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # keeps output of libraries out of the answers
    module = importlib.import_module(f"benchmarks.{contender}")
    run = module.stepper(dataset, precision, np.load(images))
    answer(answers, versions={name: found(name) for name in PACKAGES[contender]})
    for line in sys.stdin:
        n_batch, k = map(int, line.split())
        answer(answers, seconds=run(n_batch, k))


def answer(file, **what):
    print(json.dumps(what), file=file, flush=True)


def found(package):
    try:
        return version(package)
    except PackageNotFoundError:
        return "?"


if __name__ == "__main__":
    main()
