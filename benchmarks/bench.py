"""Measure training steps, start-up, loader and scores; compare them with targets.

Writes benchmarks/results.json and benchmarks/results.md. Use an idle machine.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from functools import partial
from itertools import product
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.contenders import (
    HERE,
    OTHER_PYTHON,
    SILENT,
    alternate,
    image_file,
    workers,
)
from benchmarks.summary import header, ratios, row, spread, write
from common.basics import cli
from common.basics.errors import UserError
from common.runs.layout import HISTORY

BATCH_SIZES = {"mnist": 256, "cifar10": 128, "faces": 128}
GROWTH_SIZES = (64, 128, 256, 512)  # batch sizes of the rows "time an image"
NAMES = {"ours": "ours", "textbook": "the textbook's loop", "torch_pair": "PyTorch"}
TARGETS = {  # (dataset, precision, other contender) -> ratio of times, ours / theirs
    ("mnist", "float32", "textbook"): "<= 0.65",
    ("cifar10", "float32", "textbook"): "<= 0.80",
    ("mnist", "float32", "torch_pair"): "<= 0.75",
    ("mnist", "auto", "torch_pair"): "<= 0.75",
    ("cifar10", "float32", "torch_pair"): "<= 0.75",
    ("cifar10", "auto", "torch_pair"): "<= 0.75",
}
CONTENDERS = [  # contender, precision
    ("ours", "float32"),
    ("textbook", "float32"),
    ("torch_pair", "float32"),
    ("ours", "auto"),
    ("torch_pair", "bfloat16"),
]


def add_steps(results, dataset, names, rounds, k):
    """Add rows of the step times of contenders, and of the ratios ours / theirs.

    Args:
        results: dict of `main`, changed in place.
        dataset: key of BATCH_SIZES.
        names: list of (contender, precision).
        rounds: number of rounds.
        k: steps per round.
    """
    with workers(dataset, names) as running:
        times = alternate(running, [BATCH_SIZES[dataset]], rounds, k)
        for worker in running:
            results["versions"].update(worker.versions)
    for (contender, precision, size), values in times.items():
        results["times"][f"{dataset} {contender} {precision} {size}"] = values
        what = f"{dataset}, batch {size}, {precision}, {NAMES[contender]}: iteration"
        results["rows"].append(row(what, "s", values))
    for (contender, precision, size), values in times.items():
        for other in ("textbook", "torch_pair") if contender == "ours" else ():
            theirs = "bfloat16" if precision == "auto" else precision  # of ours there
            if (other, theirs, size) in times:
                what = f"{dataset}, batch {size}, {precision} / {NAMES[other]}, {theirs}"
                target = TARGETS.get((dataset, precision, other))
                found = ratios(values, times[other, theirs, size])
                results["rows"].append(row(what, "x", found, target))


def add_batch_sizes(results, dataset, precision, rounds, k):
    """Add rows of our time per image by batch size; see `add_steps`."""
    with workers(dataset, [("ours", precision)]) as running:
        times = alternate(running, GROWTH_SIZES, rounds, k)
    for (_, _, size), values in times.items():
        results["times"][f"{dataset} growth {precision} {size}"] = values
        what = f"{dataset}, {precision}, batch {size}: time an image"
        per_image = [1000 * value / size for value in values]
        results["rows"].append(row(what, "ms", per_image))


def measure(name, quick):
    """Return the result of a function of `measures.py`, run in a new process."""
    command = [sys.executable, HERE / "measures.py", name, *["--quick"] * quick]
    process = subprocess.run(command, capture_output=True, text=True)
    if process.returncode != 0:
        raise UserError(f"measures.py {name}: {process.stderr[-1500:]}")
    return json.loads(process.stdout)


def add_overhead(results, quick):
    """Add the row of the time outside the compiled step."""
    found = results["outside"] = measure("outside", quick)
    what = "time outside the compiled step, MNIST, auto, of an epoch"
    results["rows"].append(row(what, "%", [100 * found["share"]], "< 3"))


def add_loader(results, quick):
    """Add rows of the HDF5 loader's images per second, also relative to training."""
    rates = measure("loader", quick)["images_per_second"]
    what = "HDF5 loader, 64x64, images a second"
    results["rows"].append(row(what, "/s", rates, ">= 20000"))
    n_batch = BATCH_SIZES["faces"]
    step = spread(results["times"][f"faces ours auto {n_batch}"])["median"]
    needed = n_batch / 2 / step  # real images per second of training
    what = "HDF5 loader / what a training of faces takes, auto"
    results["rows"].append(row(what, "x", [rate / needed for rate in rates], ">= 5"))


def add_generation(results, quick):
    """Add rows of generated images per second."""
    for dataset, rates in measure("generation", quick).items():
        what = f"{dataset}: generated images a second, float32"
        results["rows"].append(row(what, "/s", rates))


def add_scoring(results, quick):
    """Add the row of the seconds to score 50,000 images."""
    found = results["scoring"] = measure("scoring", quick)
    scaled = f" (scaled from {found['n']})" * found["scaled"]
    what = f"features of 50,000 MNIST images and all scores{scaled}"
    results["rows"].append(row(what, "s", [found["seconds"]], "<= 180"))


def add_start_up(results, quick):
    """Add rows of `--help` and of the time to the end of the first step."""
    script, n = str(HERE.parent / "mnist_gan/train.py"), 1 if quick else 3
    helps = [run_program([sys.executable, script, "--help"])[0] for _ in range(n + 2)]
    firsts = [seconds_to_first_step(script) for _ in range(n)]
    what = "start-up to the end of the first step, MNIST"
    results["rows"].append(row(what, "s", firsts, "< 12"))
    results["rows"].append(row("train.py --help", "s", helps, "< 0.5"))


def seconds_to_first_step(script):
    """Return the seconds until a training has written the row of its first step."""
    with tempfile.TemporaryDirectory() as folder:
        history, started = Path(folder) / "run" / HISTORY, time.perf_counter()
        command = [sys.executable, script, "--epochs", "1", "--steps-per-epoch", "1"]
        command += ["--run-dir", history.parent]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as training:
            while not history.exists():
                if training.poll() is not None:
                    raise UserError("train.py ended before its first step: see above")
                time.sleep(0.01)
            seconds = time.perf_counter() - started
    return seconds


def run_program(command):
    """Run a program; return its seconds and its peak memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, env=SILENT)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise UserError(f"{command[1]} ended with {process.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, else KiB
    return time.perf_counter() - started, usage.ru_maxrss / unit


def add_memory(results, quick):
    """Add rows of the peak memory of a short MNIST run, ours and the textbook's."""
    n_steps = str(3 if quick else 20)
    with tempfile.TemporaryDirectory() as folder:
        command = [OTHER_PYTHON, HERE / "textbook.py", "mnist", image_file("mnist")]
        command += ["--keep", folder, "--steps", n_steps, "--every", n_steps]
        _, textbook = run_program(command)
        command = [sys.executable, HERE.parent / "mnist_gan/train.py", "--epochs", "1"]
        command += ["--steps-per-epoch", n_steps, "--run-dir", f"{folder}/run"]
        _, ours = run_program(command)
    results["rows"].append(row("peak memory of an MNIST run, ours", "MiB", [ours]))
    results["rows"].append(row("the same, the textbook's", "MiB", [textbook]))
    what = "peak memory of an MNIST run / the textbook's"
    results["rows"].append(row(what, "x", [ours / textbook], "<= 1"))


def plan(quick):
    """Return all parts: [(name, expected seconds, function of results), ...]."""
    parts, rounds, k = [], 3 if quick else 12, 1 if quick else 2

    def add(name, seconds, function, **keywords):  # seconds of a quick and of a full run
        parts.append((name, seconds[not quick], partial(function, **keywords)))

    of_all = {"names": CONTENDERS, "rounds": rounds, "k": k}
    add("steps of MNIST", (55, 200), add_steps, dataset="mnist", **of_all)
    add("steps of CIFAR-10", (50, 160), add_steps, dataset="cifar10", **of_all)
    names = [name for name in CONTENDERS if name[0] != "textbook"][2 if quick else 0 :]
    of_faces = {"names": names, "rounds": 2 if quick else 6, "k": k}
    add("steps of faces", (50, 130), add_steps, dataset="faces", **of_faces)
    both = product(("mnist", "cifar10"), ("float32", "auto"))
    for dataset, precision in [("mnist", "auto")] if quick else both:
        case = {"dataset": dataset, "precision": precision, "rounds": 2 if quick else 5}
        name = f"batch sizes, {dataset}, {precision}"
        add(name, (35, 35), add_batch_sizes, k=k, **case)
    add("the time outside the compiled step", (25, 60), add_overhead, quick=quick)
    add("the HDF5 loader", (12, 25), add_loader, quick=quick)
    add("images a second", (15, 30), add_generation, quick=quick)
    add("the scores of 50,000 images", (15, 120), add_scoring, quick=quick)
    add("`--help` and the first step", (20, 50), add_start_up, quick=quick)
    add("the peak memory", (20, 50), add_memory, quick=quick)
    return parts


@cli.command
def main(argv=None):
    """Measure all parts, and write the results."""
    parser = cli.Parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="a short run: 5 minutes")
    text = "folder for results.json and results.md (benchmarks/)"
    parser.add_argument("--results", metavar="DIR", default=HERE, type=Path, help=text)
    options = parser.parse_args(argv)
    if not OTHER_PYTHON.exists():
        raise UserError(f"{OTHER_PYTHON} is missing: run `make bench`, which creates it")
    results = {"rows": [], "times": {}, "versions": {}}
    head, parts = header({}, options.quick), plan(options.quick)
    started, remaining = time.time(), sum(seconds for _, seconds, _ in parts)
    done = 0
    for i, (name, seconds, function) in enumerate(parts, start=1):
        elapsed = (time.time() - started) / 60
        factor = 60 * elapsed / done if done else 1  # measured / expected time
        times = f"{elapsed:.1f} min gone, about {factor * remaining / 60:.1f} left"
        print(f"[{i}/{len(parts)}] {name}; {times}", flush=True)
        function(results)
        done, remaining = done + seconds, remaining - seconds
    head["versions"].update(results.pop("versions"))
    head["minutes"] = round((time.time() - started) / 60, 1)
    rows = results.pop("rows")
    print(write(options.results, "results", "make bench", head, rows, **results))
    files = f"results.json, results.md in {options.results}"
    print(f"took {head['minutes']} min; saved {files}")


if __name__ == "__main__":
    main()
