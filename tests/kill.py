"""Kill runs at random moments, go on with them, and compare with runs that were not.

    python tests/kill.py --kills 25     writes docs/kills.md

Each kill is of a training drawn at random: data set, objective, conditions, precision,
images in memory or in a file. `kill -9` comes at a random moment, or at the next one in
which a file is being written; the run that is gone on with, and one that was never
stopped, must be equal bit for bit.
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
LATEST = 0.5  # seconds after a run has made a file
SINCE = [
    STATE,
    "history.csv",
    *[STATE_BEFORE] * 3,
]  # at the start, or when an epoch is done
NOT_WHOLE = ".*"  # files in writing
WRITING = [None, NOT_WHOLE, f".{STATE}"]  # what it must be writing when it is killed
MAY_DIFFER = {  # clock times, the run's own words; states are compared by their arrays
    "times.csv", "options.json", "tensorboard", STATE, STATE_BEFORE,
}  # fmt: skip
PACKED = "pictures.hdf5"
FORKS = multiprocessing.get_context("forkserver")  # of a process that has read Keras
FORKS.set_forkserver_preload(["keras", "h5py", "PIL.Image", "matplotlib.figure"])


def draw_training(seed):
    """A training at random: its folder, and the words of its command line."""
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
            precisions += ["float16"]  # the others take minutes with it, on a CPU
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
        except UserError:  # these do not go together
            continue
        return folder, words


def pack_pictures():
    """Write PACKED, of some noise, where it is not yet."""
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
    """Kill a training, go on with it, and compare, in the working directory.

    Returns:
        dict of what happened.
    """
    pack_pictures()
    folder, words = draw_training(seed)
    victim, whole = Path(f"victim_{seed}"), Path(f"whole_{seed}")
    rng = random.Random(seed)
    since, delay, wanted = rng.choice(SINCE), rng.uniform(0, LATEST), rng.choice(WRITING)
    beginning = [*words, "--run-dir", victim, "--epochs", "200"]
    writing = kill(folder, beginning, victim, since, delay, wanted)
    _, state, damaged = find_state(victim)
    later = writing or [*victim.glob(f"*{state.epoch + 1:03d}.*")]
    more = bool(later) or state.epoch == 0 or rng.random() < 0.5
    epochs = state.epoch + more  # no more, perhaps, where nothing later was begun
    train(folder, ["--resume", victim, "--epochs", epochs])
    train(folder, [*words, "--epochs", epochs, "--run-dir", whole])
    return {
        "seed": seed, "folder": folder, "words": words, "since": since, "delay": delay,
        "state": state.epoch, "writing": writing, "damaged": damaged,
        "differences": differences(victim, whole),
    }  # fmt: skip


def train(folder, words):
    """Train; each packed file is read part by part."""
    with mock.patch.object(packed, "IN_MEMORY", 0):
        importlib.import_module(f"{folder}.train").main([*map(str, words)])


def kill(folder, words, run, since, delay, writing):
    """Start a training, and kill it so many seconds after it has made a file.

    If asked, wait then until it is writing a file of such a name.

    Returns:
        names of the files that were being written.
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
    return sorted(p.name for p in run.glob(NOT_WHOLE))


def wait_for(pattern, run, process, started):
    """Wait until a run folder has a new file of this name, and its process is alive."""
    while not any(modified(path) > started for path in run.glob(pattern)):
        assert process.exitcode is None, f"it ended by itself: {process.exitcode}"
        time.sleep(0.001)


def modified(path):
    try:
        return path.stat().st_mtime
    except FileNotFoundError:  # it has got its name
        return 0


def differences(one, other):
    """Names of what differs between two runs: state, models, rows, pictures."""
    found = []
    states = [find_state(run)[1] for run in (one, other)]
    if not same_arrays(*(state.variables for state in states)):
        found.append("state")
    if not same_arrays(*([s.generators[f"numpy {i}"] for i in range(4)] for s in states)):
        found.append("NumPy's generator")
    mine, names = ({p.name for p in run.iterdir()} - MAY_DIFFER for run in (one, other))
    found += [f"{name} is one too many" for name in sorted(mine - names)]
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


def told(record):
    """A row of the record's table."""
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
    text = f"""# Killed, and gone on with

`python tests/kill.py --kills {n}`: **{equal} of {n} equal, bit for bit**; {n_writing}
were killed while they wrote a file, {n_states} of them `{STATE}`.
{described(header(versions(), quick=False))}

Each row is a training that was killed (`kill -9`) at a random moment after it had made a
file, or when it was next writing one or its state (`state.npz` comes before the first
step, `history.csv` and then `state_before.npz` with the first epoch),
resumed for one more epoch than it had finished (or for none, in half of the rows where
nothing of the next one was there), and compared with one that was never stopped:
state, models, `history.csv` and pictures, bit for bit.

| seed | training | killed | last whole epoch | files it was writing | equal |
|---|---|---|---|---|---|
"""
    text += "".join(f"{told(record)}\n" for record in records)
    (ROOT / "docs" / "kills.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
