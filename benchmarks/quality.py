"""Measure the minutes until digits are as good as the textbook's after 5 epochs.

Runs the textbook's loop once and `--preset quick` three times, start-up included. Scores
all snapshots, and writes benchmarks/quality.json and benchmarks/quality.md. The results
of finished runs are kept in benchmarks/work and reused.
"""

import json
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np

from benchmarks.contenders import HERE, OTHER_PYTHON, WORK
from benchmarks.summary import header, row, write
from common.basics import cli
from common.basics.errors import UserError
from common.runs.layout import GENERATOR, files_of_epochs
from common.runs.record import versions
from common.scores.table import scores_of

SEEDS = (1, 2, 3)
EPOCH = 234  # steps of the textbook's loop
FULL = {"data": "mnist", "n": 10_000, "steps": 5 * EPOCH, "every": EPOCH // 3, "ours": []}
SHORT = ["--epochs", "3", "--steps-per-epoch", "30"]
QUICK = {"data": "digits", "n": 200, "steps": 20, "every": 5, "ours": SHORT}


def timed_run(folder, command):
    """Run a program that saves snapshots in a folder, unless it has already finished.

    The file `started` in the folder holds the time of the start, and the file `done` the
    seconds to the end. An unfinished folder is removed first.
    """
    if not (folder / "done").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        started = time.time()
        subprocess.run(command, check=True)
        (folder / "started").write_text(str(started))
        (folder / "done").write_text(str(time.time() - started))
    print(f"{folder.name}: {float((folder / 'done').read_text()) / 60:.1f} min")
    return folder


def train_textbook(folder, size):
    """Train by the textbook's loop; G's weights are saved as `00078.npz`."""
    images = folder.parent / f"{size['data']}.npy"
    if not images.exists():
        images.parent.mkdir(parents=True, exist_ok=True)
        np.save(images, references(size["data"])[0].pixels)
    command = [OTHER_PYTHON, HERE / "textbook.py", "mnist", images, "--keep", folder]
    command += ["--steps", size["steps"], "--every", size["every"]]
    return timed_run(folder, list(map(str, command)))


def train_ours(folder, size, seed):
    """Train the preset quick; models are saved as `run/generator_model_001.h5`."""
    script = HERE.parent / "mnist_gan/train.py"
    command = [sys.executable, script, "--preset", "quick", "--data", size["data"]]
    command += ["--seed", seed, "--save-every", 1, "--run-dir", folder / "run"]
    command += size["ours"]
    return timed_run(folder, list(map(str, command)))


def snapshots(folder):
    """Return [(minutes since the start, path), ...] of the snapshots of a run."""
    started = float((folder / "started").read_text())
    paths = [*folder.glob("*.npz"), *files_of_epochs(folder / "run", GENERATOR)]
    return sorted(((path.stat().st_mtime - started) / 60, path) for path in paths)


def distance_curve(folder, size):
    """Return [[minutes, Frechet distance], ...] of a run; score each snapshot once."""
    path, models = folder / "distances.json", snapshots(folder)
    known = json.loads(path.read_text()) if path.exists() else {}
    for i, (_, model) in enumerate(models, start=1):
        if model.name not in known:
            known[model.name] = distance(model, size)
            path.write_text(json.dumps(known))
            print(f"  {model.name}, {i} of {len(models)}: {known[model.name]:.1f}")
    return [[minutes, known[model.name]] for minutes, model in models]


def distance(model, size):
    """Return the Frechet distance of n images of a saved G to the real images."""
    from common.checkpoints import load_generator
    from common.scores.features import extract_all
    from common.scores.metrics import frechet_distance

    scorer = scorer_of(size["data"], size["n"])
    g_model = textbook_generator(model) if model.suffix == ".npz" else None
    pixels, _ = scorer.sample(g_model or load_generator(model)[0], seed=0)
    return frechet_distance(scorer.real[0], extract_all(scorer.features, pixels)[0])


def textbook_generator(path):
    """Return the tutorial's G, which is the textbook's, with the weights of an .npz."""
    from mnist_gan.define_generator import define_generator

    g_model = define_generator(latent_dim=100)
    with np.load(path) as weights:
        g_model.set_weights([weights[name] for name in weights.files])
    return g_model


@cache
def references(data):
    from common.scores.references import load_reference

    return load_reference(data)


@cache
def scorer_of(data, n):
    from common.scores.scorer import classifier_scorer

    return classifier_scorer(*references(data), n)


def first_below(curve, bound):
    """Return the minutes of the first snapshot with at most this distance, or None."""
    return next((minutes for minutes, value in curve if value <= bound), None)


def distance_at(curve, minutes):
    """Return the distance of the last snapshot within these minutes, or None."""
    return next((x for time, x in reversed(curve) if time <= minutes), None)


def result_rows(textbook, ours, real_distance, name):
    """Return the rows of the results.

    Args:
        textbook: curve [[minutes, distance], ...] of the textbook's run.
        ours: list of such curves of our runs.
        real_distance: distance of held-out real images to the real images.
        name: of the distance, with its network and n.
    """
    (their_minutes, goal), ends = textbook[-1], [run[-1][0] for run in ours]
    early = [distance_at(textbook, end) or textbook[0][1] for end in ends]
    rows = [
        row("the textbook's loop: all its steps", "min", [their_minutes]),
        row(f"{name}: the textbook's loop, at its end", "", [goal]),
        row(f"{name}: real images", "", [real_distance]),
        row("ours: all steps of --preset quick", "min", ends),
        row(f"{name}: ours, at its end", "", [run[-1][1] for run in ours]),
        row(f"{name}: the textbook's loop, after ours' minutes", "", early),
    ]
    times = [first_below(run, goal) for run in ours]
    never = times.count(None)
    text = f" ({never} of {len(times)} never did: their whole time)" * bool(never)
    what = f"ours: minutes until the textbook's last distance is reached{text}"
    times = [time or end for time, end in zip(times, ends, strict=True)]
    return [*rows, row(what, "min", times)]


@cli.command
def main(argv=None):
    """Train, score and compare all runs."""
    parser = cli.Parser(__doc__)
    text = "a few minutes on little data"
    parser.add_argument("--quick", action="store_true", help=text)
    text = "folder for quality.json and quality.md (benchmarks/)"
    parser.add_argument("--results", metavar="DIR", default=HERE, type=Path, help=text)
    options = parser.parse_args(argv)
    if not OTHER_PYTHON.exists():
        raise UserError(f"{OTHER_PYTHON} is missing: run `make bench-quality`")
    size = QUICK if options.quick else FULL
    work, head = WORK / f"quality-{size['data']}", header(versions(), options.quick)
    print("[1/3] ours, three runs; about 40 min left", flush=True)
    ours = [train_ours(work / f"ours-{seed}", size, seed) for seed in SEEDS]
    print("[2/3] the textbook's loop; about 33 min left", flush=True)
    textbook = train_textbook(work / "textbook", size)
    print("[3/3] scores; about 8 min left", flush=True)
    from common.devices import set_up

    set_up()
    curves = [distance_curve(folder, size) for folder in (textbook, *ours)]
    scorer = scorer_of(size["data"], size["n"])
    real_distance = scorer.real_baseline["scores"]["fd"]
    name = f"{scores_of(scorer.features.name)['fd'].title}, n = {scorer.n:,}"
    rows = result_rows(curves[0], curves[1:], real_distance, name)
    command = "make bench-quality"
    print(write(options.results, "quality", command, head, rows, curves=curves))
    files = f"quality.json, quality.md in {options.results}"
    print(f"saved {files}; to measure again, remove {work}")


if __name__ == "__main__":
    main()
