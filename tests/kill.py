"""Kill runs at random moments, resume them, and compare with runs without a stop.

    python tests/kill.py --kills 25     writes docs/kills.md

Each kill is of a randomly chosen training: dataset, objective, conditions, precision,
images in memory or in a file. `kill -9` is sent at a random moment, or the next time a
file is being written. The resumed run and one that was never stopped must be equal bit
for bit.
"""

import argparse
import contextlib
import importlib
import multiprocessing
import random
import sys
import tempfile
import time
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.summary import described, header
from common.basics.errors import UserError
from common.checkpoints import load_model
from common.data import packed
from common.objectives.table import OPTIONS
from common.options.training_options import training_options
from common.runs.layout import STATE, STATE_BEFORE
from common.runs.record import versions
from common.runs.state import find_state

ROOT = Path(__file__).resolve().parents[1]
LATEST = 0.5  # seconds after a run has written a file
SINCE = [
    STATE,
    "history.csv",
    *[STATE_BEFORE] * 3,
]  # written at the start, or after an epoch
UNFINISHED = ".*"  # temporary files of atomic_write
WRITING = [None, UNFINISHED, f".{STATE}"]  # file that must be unfinished at the kill
MAY_DIFFER = {  # clock times and options; states are compared by their arrays
    "times.csv", "options.json", "tensorboard", STATE, STATE_BEFORE,
}  # fmt: skip
PACKED = "pictures.hdf5"
FORKS = multiprocessing.get_context("forkserver")  # of a process that has imported Keras
FORKS.set_forkserver_preload(["keras", "h5py", "PIL.Image", "matplotlib.figure"])


def random_training(seed):
    """Return a random training: its folder, and the words of its command line."""
    rng = random.Random(seed)
    while True:
        folder, data = rng.choice(
            [("mnist_gan", "digits"), ("cifar10_gan", "synthetic"),
             ("celeba_gan", "synthetic"), ("celeba_gan", PACKED)]
        )  # fmt: skip
        architecture = rng.choice(["narrow", "dense"])
        words = ["--data", data, "--architecture", architecture]
        objective = rng.choice(list(OPTIONS))
        words += ["--objective", objective]
        words += ["--critic-steps", "2"] * ("critic_steps" in OPTIONS[objective])
        precisions = ["float32", "bfloat16"]
        if (folder, architecture) == ("mnist_gan", "narrow"):
            precisions += ["float16"]  # takes minutes on a CPU with the others
        words += ["--precision", rng.choice(precisions)]
        if data != PACKED and rng.random() < 0.5:
            kind = rng.choice(["concat", "hadamard", "classify"])
            words += ["--conditional", "--condition", kind]
            words += rng.choice([[], ["--wrong-labels"]])
        words += rng.choice(
            [[], ["--ema", "0.9"], ["--augment"], ["--optimizer", "sgd"],
             ["--label-noise", "0.2"], ["--d-batches", "separate"]]
        )  # fmt: skip
        words += ["--size", "32"] * (folder == "celeba_gan")
        words += ["--batch-size", "4", "--steps-per-epoch", "4", "--latent-dim", "8"]
        words += ["--save-every", str(rng.choice([1, 2])), "--seed", str(seed)]
        train = importlib.import_module(f"{folder}.train")
        try:
            training_options(words, train.SCRIPT)
        except UserError:  # an invalid combination
            continue
        return folder, words


def pack_pictures():
    """Write PACKED with images of noise, if it does not exist."""
    from celeba_gan import pack_hdf5

    if Path(PACKED).exists():
        return
    Path("pictures").mkdir()
    rng = np.random.default_rng(0)
    for i in range(80):
        picture = Image.fromarray(rng.integers(0, 256, (32, 32, 3), np.uint8))
        picture.save(f"pictures/{i:02d}.png")
    pack_hdf5.main(["pictures", PACKED, "--size", "32"])


def kill_and_compare(seed):
    """Kill a training, resume it, and compare, in the working directory.

    Returns:
        dict, the record of the kill, with `differences`, which must be empty.
    """
    pack_pictures()
    folder, words = random_training(seed)
    victim, unbroken = Path(f"victim_{seed}"), Path(f"unbroken_{seed}")
    rng = random.Random(seed)
    since, delay, wanted = rng.choice(SINCE), rng.uniform(0, LATEST), rng.choice(WRITING)
    beginning = [*words, "--run-dir", victim, "--epochs", "200"]
    writing = kill(folder, beginning, victim, since, delay, wanted)
    _, state, damaged = find_state(victim)
    later = writing or [*victim.glob(f"*{state.epoch + 1:03d}.*")]
    more = bool(later) or state.epoch == 0 or rng.random() < 0.5
    epochs = state.epoch + more  # maybe none, if no later epoch was started
    train(folder, ["--resume", victim, "--epochs", epochs])
    train(folder, [*words, "--epochs", epochs, "--run-dir", unbroken])
    return {
        "seed": seed, "folder": folder, "words": words, "since": since, "delay": delay,
        "state": state.epoch, "writing": writing, "damaged": damaged,
        "differences": differences(victim, unbroken),
    }  # fmt: skip


def train(folder, words):
    """Train, with packed files read in parts."""
    with mock.patch.object(packed, "MAX_IN_MEMORY_BYTES", 0):
        importlib.import_module(f"{folder}.train").main([*map(str, words)])


def kill(folder, words, run, since, delay, writing):
    """Start a training, and kill it `delay` seconds after it has written a file.

    Args:
        since: name of that file.
        writing: pattern of a file that it must be writing when killed, or None.

    Returns:
        list of names of the unfinished files.
    """
    started = time.time()
    process = FORKS.Process(target=train, args=(folder, words))
    process.start()
    wait_for(since, run, process, started)
    time.sleep(delay)
    if writing:
        wait_for(writing, run, process, started)
    process.kill()
    process.join()
    return sorted(p.name for p in run.glob(UNFINISHED))


def wait_for(pattern, run, process, started):
    """Wait until a run folder has a new file of this name; its process must run."""
    while not any(modified(path) > started for path in run.glob(pattern)):
        assert process.exitcode is None, f"the training ended: {process.exitcode}"
        time.sleep(0.001)


def modified(path):
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # renamed in the meantime
        return 0


def differences(one, other):
    """Return the differences of two runs: state, models, rows, pictures; a list."""
    found = []
    states = [find_state(run)[1] for run in (one, other)]
    if not same_arrays(*(state.variables for state in states)):
        found.append("state")
    if not same_arrays(*([s.generators[f"numpy {i}"] for i in range(4)] for s in states)):
        found.append("NumPy's generator")
    mine, names = ({p.name for p in run.iterdir()} - MAY_DIFFER for run in (one, other))
    found += [f"{name} is superfluous" for name in sorted(mine - names)]
    for name in sorted(names):
        a, b = one / name, other / name
        if not a.exists():
            found.append(f"{name} is missing")
        elif name.endswith(".h5"):
            models = [[w.numpy() for w in load_model(p).weights] for p in (a, b)]
            found += [name] * (not same_arrays(*models))
        elif a.read_bytes() != b.read_bytes():
            found.append(name)
    return found


def same_arrays(one, other):
    return len(one) == len(other) and all(map(same_array, one, other))


def same_array(one, other):
    return one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)


def table_row(record):
    """Return a row of the table of docs/kills.md."""
    shown = " ".join(record["words"][: record["words"].index("--batch-size")])
    equal = "yes" if not record["differences"] else ", ".join(record["differences"])
    cells = [
        record["seed"],
        f"`{record['folder']} {shown}`",
        f"{record['delay']:.2f} s after {record['since']}",
        f"{record['state']}" + ", one damaged" * bool(record["damaged"]),
        ", ".join(record["writing"]) or "-",
        equal,
    ]
    return f"| {' | '.join(map(str, cells))} |"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=25)
    n = parser.parse_args().kills
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        records = [kill_and_compare(seed) for seed in range(n)]
    equal = sum(not record["differences"] for record in records)
    writing = [record["writing"] for record in records]
    n_writing, n_states = sum(map(bool, writing)), sum(f".{STATE}" in w for w in writing)
    text = f"""# Killed and resumed runs

`python tests/kill.py --kills {n}`: **{equal} of {n} equal, bit for bit**; {n_writing}
were killed while they wrote a file, {n_states} of them `{STATE}`.
{described(header(versions(), quick=False))}

Each row is a training that was killed (`kill -9`) at a random moment after it had written
a file, or the next time it was writing a file or its state (`state.npz` is written before
the first step, `history.csv` and then `state_before.npz` with the first epoch),
resumed for one more epoch than it had finished (or for none, in half of the rows where
no file of the next epoch existed), and compared with one that was never stopped:
state, models, `history.csv` and pictures, bit for bit.

| seed | training | killed | last complete epoch | unfinished files | equal |
|---|---|---|---|---|---|
"""
    text += "".join(f"{table_row(record)}\n" for record in records)
    (ROOT / "docs" / "kills.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
