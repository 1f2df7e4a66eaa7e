"""Run the contenders of a benchmark in processes whose training steps alternate.

A contender is an implementation of the same training: "ours", "textbook" or "torch_pair",
each in the module of this name.
"""

import json
import os
import subprocess
import sys
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path

from common.basics.errors import UserError

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
OTHER_PYTHON = HERE / ".venv/bin/python"
SILENT = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}  # environment without logs


class Worker:
    """A contender that waits in its own process, see `worker.py`."""

    def __init__(self, dataset, contender, precision):
        self.name = contender, precision
        python = sys.executable if contender == "ours" else OTHER_PYTHON
        command = [python, HERE / "worker.py", *(contender, dataset, precision)]
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed in `stop`
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": self.log}
        self.process = subprocess.Popen(
            [*command, image_file(dataset)], text=True, env=SILENT, **pipes
        )

    def read_reply(self):
        """Return the next line of the process, as a dict.

        Raises:
            UserError: the process has ended.
        """
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            last_lines = "\n".join(self.log.read().splitlines()[-15:])
            raise UserError(f"worker {' '.join(self.name)} ended:\n{last_lines}")
        return json.loads(line)

    def run(self, n_batch, k):
        """Return the seconds of each of k steps."""
        print(n_batch, k, file=self.process.stdin, flush=True)
        return self.read_reply()["seconds"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.log.close()


def image_file(dataset):
    """Return the path of an .npy of training images, uint8 (n, h, w, c).

    The file is written at the first call: MNIST or what `load_images` finds instead, and
    synthetic shapes instead of photographs. The time of a step does not depend on them.
    """
    import numpy as np

    from common.data.mnist import load_images
    from common.data.shapes import synthetic_shapes

    path = WORK / f"{dataset}.npy"
    if not path.exists():
        WORK.mkdir(exist_ok=True)
        if dataset == "mnist":
            pixels = np.resize(load_images("auto").pixels, (60_000, 28, 28, 1))
        else:
            pixels = synthetic_shapes(size=32 if dataset == "cifar10" else 64).pixels
        np.save(path, pixels)
    return path


@contextmanager
def workers(dataset, names):
    """Yield a ready Worker for each of names, a list of (contender, precision)."""
    with ExitStack() as stack:
        contenders = [Worker(dataset, *name) for name in names]
        for worker in contenders:
            stack.callback(worker.stop)
        for worker in contenders:
            worker.versions = worker.read_reply()["versions"]
        yield contenders


def alternate(contenders, sizes, rounds, k):
    """Run k steps of each worker, alternating, for some rounds.

    Args:
        contenders: list of Worker.
        sizes: batch sizes.
        rounds: number of rounds.
        k: steps per round.

    Returns:
        dict, (contender, precision, batch) -> seconds per step, one number per round.
    """
    from tqdm import tqdm

    times = {(*worker.name, size): [] for worker in contenders for size in sizes}
    for worker in contenders:
        for size in sizes:
            worker.run(size, 2)  # traces the step and allocates memory
    for _ in tqdm(range(rounds), desc="  rounds", disable=None, leave=False):
        for size in sizes:
            for worker in contenders:
                seconds = worker.run(size, k)
                times[*worker.name, size].append(sum(seconds) / k)
    return times
