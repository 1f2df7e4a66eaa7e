"""How fast is it? Steps, start-up, loader, scores: against others, next to the targets.

Writes benchmarks/results.json and benchmarks/results.md. Nothing else should run.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parents[1])

from benchmarks.summary import header, ratios, row, spread, write
from common.basics import cli
from common.basics.errors import UserError

HERE = Path(__file__).resolve().parent
WORK = HERE / "work"
OTHER_PYTHON = HERE / ".venv/bin/python"
BATCH = {"mnist": 256, "cifar10": 128, "faces": 128}
SIZES = (64, 128, 256, 512)
NAMES = {"ours": "ours", "textbook": "the textbook's loop", "torch_pair": "PyTorch"}
TARGETS = {  # of a time over another's: dataset, precision, against -> at most
    ("mnist", "float32", "textbook"): "<= 0.65",
    ("mnist", "auto", "textbook"): "<= 0.35 (aim)",
    ("cifar10", "float32", "textbook"): "<= 0.80",
    ("cifar10", "auto", "textbook"): "<= 0.50 (aim)",
    ("mnist", "float32", "torch_pair"): "<= 0.75",
    ("mnist", "auto", "torch_pair"): "<= 0.75",
    ("cifar10", "float32", "torch_pair"): "<= 0.75",
    ("cifar10", "auto", "torch_pair"): "<= 0.75",
}
PEERS = {"auto": {"textbook": "float32", "torch_pair": "bfloat16"}}  # else the same


class Worker:
    """A contender that waits in a process of its own, see `worker.py`."""

    def __init__(self, contender, dataset, precision):
        self.name = contender, precision
        python = sys.executable if contender == "ours" else OTHER_PYTHON
        words = [python, HERE / "worker.py", contender, dataset, precision]
        self.log = tempfile.TemporaryFile("w+")  # noqa: SIM115, closed in `stop`
        self.process = subprocess.Popen(
            [*words, images_of(dataset)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=self.log, text=True, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        )  # fmt: skip

    def answer(self):
        """The next line that it says.

        Raises:
            UserError: it has ended.
        """
        line = self.process.stdout.readline()
        if not line:
            self.log.seek(0)
            end = "\n".join(self.log.read().splitlines()[-15:])
            raise UserError(f"the worker {' '.join(self.name)} ended:\n{end}")
        return json.loads(line)

    def run(self, n_batch, k):
        """Seconds of each of k steps."""
        print(n_batch, k, file=self.process.stdin, flush=True)
        return self.answer()["seconds"]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(60)
        self.log.close()


def images_of(dataset):
    """Path of an .npy of the images to train on, made once: uint8 (n, h, w, c).

    MNIST if it is there; drawn shapes stand for the photographs: steps take as long.
    """
    import numpy as np

    from common.data.datasets import load_images
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
    """Workers of one dataset, all ready."""
    with ExitStack() as stack:
        found = [Worker(*name[:1], dataset, *name[1:]) for name in names]
        for worker in found:
            stack.callback(worker.stop)
        for worker in found:
            worker.versions = worker.answer()["versions"]
        yield found


def alternate(found, sizes, rounds, k):
    """Let workers take turns.

    Returns:
        dict, (contender, precision, batch) -> seconds a step, one number for each round.
    """
    from tqdm import tqdm

    times = {(*worker.name, size): [] for worker in found for size in sizes}
    for worker in found:
        for size in sizes:
            worker.run(size, 2)  # traces, allocates
    for _ in tqdm(range(rounds), desc="  rounds", disable=None, leave=False):
        for size in sizes:
            for worker in found:
                seconds = worker.run(size, k)
                times[*worker.name, size].append(sum(seconds) / k)
    return times


def steps(results, dataset, names, sizes, rounds, k):
    """Rows of the steps of these contenders, and of our ratios to the others."""
    with workers(dataset, names) as found:
        times = alternate(found, sizes, rounds, k)
        for worker in found:
            results["versions"].update(worker.versions)
    for (contender, precision, size), values in times.items():
        results["times"][f"{dataset} {contender} {precision} {size}"] = values
        what = f"{dataset}, batch {size}, {precision}, {NAMES[contender]}: iteration"
        results["rows"].append(row(what, "s", values))
    for (contender, precision, size), values in times.items():
        for other in ("textbook", "torch_pair") if contender == "ours" else ():
            theirs = PEERS.get(precision, {}).get(other, precision)
            if (other, theirs, size) in times:
                what = f"{dataset}, batch {size}, {precision} / {NAMES[other]}, {theirs}"
                target = TARGETS.get((dataset, precision, other))
                found = ratios(values, times[other, theirs, size])
                results["rows"].append(row(what, "x", found, target))


def growth(results, dataset, precision, rounds, k):
    """Rows of our steps by batch size: what an image costs."""
    with workers(dataset, [("ours", precision)]) as found:
        times = alternate(found, SIZES, rounds, k)
    for (_, _, size), values in times.items():
        results["times"][f"{dataset} growth {precision} {size}"] = values
        what = f"{dataset}, {precision}, batch {size}: time an image"
        per_image = [1000 * value / size for value in values]
        results["rows"].append(row(what, "ms", per_image))


def measure(name, quick):
    """What a function of `measures.py` finds, in a fresh process."""
    words = [sys.executable, HERE / "measures.py", name, *["--quick"] * quick]
    answer = subprocess.run(words, capture_output=True, text=True)
    if answer.returncode != 0:
        raise UserError(f"measures.py {name}: {answer.stderr[-1500:]}")
    return json.loads(answer.stdout)


def outside(results, quick):
    """Row of the time outside the compiled step."""
    found = results["outside"] = measure("outside", quick)
    what = "time outside the compiled step, MNIST, auto, of an epoch"
    results["rows"].append(row(what, "%", [100 * found["share"]], "< 3"))


def loader(results, quick):
    """Rows of the HDF5 loader, and of what a training of faces takes from it."""
    rates = measure("loader", quick)["images_per_second"]
    what = "HDF5 loader, 64x64, images a second"
    results["rows"].append(row(what, "/s", rates, ">= 20000"))
    seconds = spread(results["times"][f"faces ours auto {BATCH['faces']}"])["median"]
    taken = BATCH["faces"] / 2 / seconds
    what = "HDF5 loader / what a training of faces takes, auto"
    results["rows"].append(row(what, "x", [rate / taken for rate in rates], ">= 5"))


def generation(results, quick):
    """Rows of images a second."""
    for dataset, rates in measure("generation", quick).items():
        what = f"{dataset}: generated images a second, float32"
        results["rows"].append(row(what, "/s", rates))


def scoring(results, quick):
    """Row of the minutes that 50,000 images take to be scored."""
    found = results["scoring"] = measure("scoring", quick)
    scaled = f" (scaled from {found['n']})" * found["scaled"]
    what = f"features of 50,000 MNIST images and all scores{scaled}"
    results["rows"].append(row(what, "s", [found["seconds"]], "<= 180"))


def start_up(results, quick):
    """Rows of `--help` and of the time until the first step is done."""
    script, n = str(HERE.parent / "mnist_gan/train.py"), 1 if quick else 3
    helps = [run_to_end([sys.executable, script, "--help"])[0] for _ in range(n + 2)]
    firsts = [until_first_step(script) for _ in range(n)]
    what = "start-up to the end of the first step, MNIST"
    results["rows"].append(row(what, "s", firsts, "< 12"))
    results["rows"].append(row("train.py --help", "s", helps, "< 0.5"))


def until_first_step(script):
    """Seconds until a training has written the row of its first step."""
    with tempfile.TemporaryDirectory() as folder:
        history, started = Path(folder) / "run/history.csv", time.perf_counter()
        words = [sys.executable, script, "--epochs", "1", "--steps-per-epoch", "1",
                 "--run-dir", history.parent]  # fmt: skip
        with subprocess.Popen(words, stdout=subprocess.DEVNULL) as training:
            while not history.exists():
                if training.poll() is not None:
                    raise UserError("train.py ended before its first step")
                time.sleep(0.01)
            seconds = time.perf_counter() - started
    return seconds


def run_to_end(words):
    """Run a program; return its seconds and its peak memory in MiB."""
    started = time.perf_counter()
    process = subprocess.Popen(
        words, stdout=subprocess.DEVNULL, env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise UserError(f"{words[1]} ended with {process.returncode}")
    unit = 2**20 if sys.platform == "darwin" else 2**10  # bytes there, else KiB
    return time.perf_counter() - started, usage.ru_maxrss / unit


def memory(results, quick):
    """Rows of the peak memory of a short MNIST run, ours and the textbook's."""
    n_steps = str(3 if quick else 20)
    theirs = [OTHER_PYTHON, HERE / "textbook.py", "mnist", images_of("mnist")]
    with tempfile.TemporaryDirectory() as folder:
        kept = ["--keep", folder, "--steps", n_steps, "--every", n_steps]
        _, textbook = run_to_end([*theirs, *kept])
        words = [sys.executable, HERE.parent / "mnist_gan/train.py", "--epochs", "1"]
        words += ["--steps-per-epoch", n_steps, "--run-dir", f"{folder}/run"]
        _, ours = run_to_end(words)
    results["rows"].append(row("peak memory of an MNIST run, ours", "MiB", [ours]))
    results["rows"].append(row("the same, the textbook's", "MiB", [textbook]))
    what = "peak memory of an MNIST run / the textbook's"
    results["rows"].append(row(what, "x", [ours / textbook], "<= 1"))


def plan(quick):
    """What is done: [(name, about how many seconds, function of the results), ...]."""
    everyone = [("ours", "float32"), ("textbook", "float32"), ("torch_pair", "float32"),
                ("ours", "auto"), ("torch_pair", "bfloat16")]  # fmt: skip
    others = [name for name in everyone if name[0] != "textbook"]
    rounds, k = (3, 1) if quick else (12, 2)

    def compare(dataset, names, rounds):
        size = BATCH[dataset]
        return lambda results: steps(results, dataset, names, [size], rounds, k)

    def grow(dataset, precision):
        return lambda results: growth(results, dataset, precision, 2 if quick else 5, k)

    parts = [
        ("steps of MNIST", 55 if quick else 200, compare("mnist", everyone, rounds)),
        ("steps of CIFAR-10", 50 if quick else 160, compare("cifar10", everyone, rounds)),
        ("steps of faces", 50 if quick else 130,
         compare("faces", others[2:] if quick else others, 2 if quick else 6)),
    ]  # fmt: skip
    grown = [("mnist", "auto")] if quick else [
        (dataset, p) for dataset in ("mnist", "cifar10") for p in ("float32", "auto")
    ]  # fmt: skip
    parts += [(f"batch sizes, {d}, {p}", 35, grow(d, p)) for d, p in grown]
    alone = {outside: (25, 60), loader: (12, 25), generation: (15, 30),
             scoring: (15, 120), start_up: (20, 50), memory: (20, 50)}  # fmt: skip
    for function, seconds in alone.items():
        name = function.__doc__.split("Rows of ")[-1].split("Row of ")[-1].splitlines()[0]
        parts.append((name, seconds[not quick], lambda r, f=function: f(r, quick)))
    return parts


@cli.command
def main(argv=None):
    """Measure all there is to measure, and write the results."""
    parser = cli.Parser(__doc__)
    parser.add_argument("--quick", action="store_true", help="a try, under 5 minutes")
    text = "folder for results.json and results.md (benchmarks/)"
    parser.add_argument("--results", metavar="DIR", default=HERE, type=Path, help=text)
    options = parser.parse_args(argv)
    if not OTHER_PYTHON.exists():
        raise UserError(f"{OTHER_PYTHON} is missing: `make bench` makes it")
    results = {"rows": [], "times": {}, "versions": {}}
    head, parts = header({}, options.quick), plan(options.quick)
    started, left = time.time(), sum(seconds for _, seconds, _ in parts)
    done = 0
    for i, (name, seconds, function) in enumerate(parts, start=1):
        spent = (time.time() - started) / 60
        pace = 60 * spent / done if done else 1  # how slow this machine is
        print(f"[{i}/{len(parts)}] {name.rstrip('.')}; {spent:.1f} min gone, about "
              f"{pace * left / 60:.1f} left", flush=True)  # fmt: skip
        function(results)
        done, left = done + seconds, left - seconds
    head["versions"].update(results.pop("versions"))
    head["minutes"] = round((time.time() - started) / 60, 1)
    rows = results.pop("rows")
    print(write(options.results, "results", "make bench", head, rows, **results))
    print(f"took {head['minutes']} min; saved results.json, results.md in "
          f"{options.results}")  # fmt: skip


if __name__ == "__main__":
    main()
