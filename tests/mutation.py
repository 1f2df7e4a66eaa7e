"""Run mutation tests: insert faults one by one, and run the tests that should fail.

Changes the adversarial step, the objectives and the scores, in a copy of the repository.
Each mutant runs in its own process, forked from one that has imported Keras, with the
tests below until the first failure. docs/mutation.md lists those without a failure.
"""

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from importlib import import_module
from pathlib import Path

from mutants import mutants

ROOT = Path(__file__).resolve().parents[1]
REASONS = ROOT / "tests/mutation_reasons.json"
BY_HAND = " ".join(
    f"tests/objectives/test_objectives{part}.py"
    for part in ("", "_gradients", "_training")
)
EVERYWHERE = "tests/objectives/test_objectives_everywhere.py"
CLASSES = "tests/layers/test_conditional.py"
MODELS = "tests/architectures/test_architectures.py"
OPTIONS = "tests/options/test_extensions.py"
TESTS = {  # file -> its test files, and pytest's -k
    "common/gan.py": (
        f"{BY_HAND} tests/test_gan.py {MODELS} tests/layers/test_fast.py",
        "(test_objectives and (bce or hinge or k_) and not (mixed or lowers or adam)) or "
        "(test_gan and (by_hand or batch_stat or shares or differ or flag or running "
        "or logged or own_batch or is_ready or one_by_one)) or outlasts or "
        "trained_weights",
    ),
    "common/updates.py": (
        f"{BY_HAND} tests/test_gan.py {MODELS}",
        "(test_objectives and (regularizers or saturated or compiled_with or bce)) or "
        "(test_gan and (by_hand or batch_stat)) or outlasts",
    ),
    "common/fitting/build.py": (
        f"{BY_HAND} {CLASSES} {OPTIONS} tests/runs/test_state.py",
        "every_part or reader_changes or (differ or distance or hinge_lets or "
        "compares or ideal or adam or lets_alone or weighs or clipped or bound or "
        "three_critic or regularizers or gp_adds or unsure or (each_step and hinge and "
        "concat) or wrong_class) and not mixed",
    ),
    "common/scores/metrics.py": ("tests/scores/test_scores.py", ""),
    "common/objectives/began.py": (BY_HAND, "(began or k_) and not mixed"),
    "common/objectives/ebgan.py": (
        BY_HAND,
        "(ebgan or pull or similarity) and not mixed",
    ),
    "common/layers/losses.py": (
        f"{EVERYWHERE} {CLASSES}",
        "mnist and (energy or energies) or classifying",
    ),
    "common/fitting/conditional_gan.py": (CLASSES, "each_step or fakes_have or wrong"),
    "common/objectives/heads.py": (
        f"{EVERYWHERE} {CLASSES}",
        "mnist and (score or energy or energies) or classifying or blocks",
    ),
    "common/objectives/hinge.py": (BY_HAND, "hinge and not mixed"),
    "common/objectives/labels.py": (OPTIONS, "smoothing or unsure"),
    "common/objectives/lsgan.py": (BY_HAND, "lsgan and not mixed"),
    "common/objectives/minimax.py": (BY_HAND, "minimax and not mixed"),
    "common/objectives/penalties.py": (BY_HAND, "gp or r3gan or slope or penalty"),
    "common/objectives/pretraining.py": (BY_HAND, "pretraining"),
    "common/objectives/r3gan.py": (BY_HAND, "(r3gan or r1) and not mixed"),
    "common/objectives/table.py": (
        f"{BY_HAND} {EVERYWHERE} {CLASSES}",
        "option or (differ or distance or hinge_lets or compares or ideal or adam or "
        "lets_alone or weighs or clipped or bound or gp_adds) and not mixed",
    ),
    "common/objectives/wgan.py": (
        BY_HAND,
        "(wgan or bound) and not (gp or mixed or lowers or slope or own_side or three)",
    ),
    "common/objectives/wgan_gp.py": (BY_HAND, "(gp or penalty) and not mixed"),
}


def sample_mutants(n, seed):
    """Sample n mutants of all files: number of all, [(file, mutant), ...] in order."""
    found = [(f, m) for f in TESTS for m in mutants((ROOT / f).read_text())]
    picks = random.Random(seed).sample(range(len(found)), min(n, len(found)))
    return len(found), [found[i] for i in sorted(picks)]


def copied(folder):
    """Copy the tracked and the new Python files of the repository into a folder."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in [*names.stdout.split(), "pyproject.toml"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def read_libraries():
    """Import slow libraries once, but none that starts threads; return pytest."""
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # saves seconds for each mutant
    sys.dont_write_bytecode = True
    for name in ("keras", "tensorflow", "scipy.stats", "sklearn.neighbors"):
        import_module(name)
    return import_module("pytest")


def noticed(pytest, folder, file, limit):
    """Run the tests of a file in a fork, for at most `limit` seconds.

    Returns:
        "passed", "failed" or "too slow" (both: the fault is detected), and the seconds.
    """
    started = time.time()
    paths, words = TESTS[file]
    pid = os.fork()
    if pid == 0:
        os.setsid()
        os.chdir(folder)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (1, 2):
            os.dup2(null, stream)
        options = ["-x", "-q", "-p", "no:cacheprovider"]
        code = pytest.main([*options, *paths.split(), "-k", words])
        os._exit(int(code))
    while time.time() - started < limit:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            code = os.waitstatus_to_exitcode(status)
            if code not in (0, 1, 2) and code >= 0:
                raise SystemExit(f"{file}: pytest ended with {code}")
            return "passed" if code == 0 else "failed", time.time() - started
        time.sleep(0.05)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return "too slow", time.time() - started


def tried(chosen, before, pytest, folder):
    """Run the mutants, except those that were detected before.

    Args:
        before: [result of `noticed` or None (unknown), ...] of the same mutants.

    Returns:
        [result of `noticed`, ...]
    """
    results, limits = list(before), {}
    for i, (file, mutant) in enumerate(chosen):
        if before[i] not in (None, "passed"):
            continue
        path, source = folder / file, (ROOT / file).read_text()
        if file not in limits:  # the tests must pass without a fault
            ended, seconds = noticed(pytest, folder, file, limit=900)
            if ended != "passed":
                raise SystemExit(f"{file}: its tests fail without a mutant")
            limits[file] = 3 * seconds + 20
        path.write_text(mutant[-1])
        results[i], seconds = noticed(pytest, folder, file, limits[file])
        path.write_text(source)
        print(f"{i + 1}/{len(chosen)} {file}:{mutant[1]} {mutant[2]} -> {mutant[3]}: "
              f"{results[i]}, {seconds:.0f} s", flush=True)  # fmt: skip
    return results


def name_of(file, mutant):
    """Return the name of a mutant, independent of line numbers."""
    place, _, before, after, _ = mutant
    return f"{file} | {place} | {before} -> {after}"


def record(chosen, results, text):
    """Return the record as Markdown: counts by file, each survivor with its reason."""
    from benchmarks.summary import described, header
    from common.runs.record import versions
    from common.runs.tables import markdown_table

    reasons = json.loads(REASONS.read_text())
    alive = [x for x, ended in zip(chosen, results, strict=True) if ended == "passed"]
    rows = []
    for name in [*TESTS, "all"]:
        n, missed = (sum(name in (x[0], "all") for x in part) for part in (chosen, alive))
        if n:
            rows.append([name, str(n), str(n - missed), f"{1 - missed / n:.0%}"])
    listed = [
        [
            f"`{file}`:{mutant[1]}",
            f"`{mutant[2]}` -> `{mutant[3]}`",
            reasons.get(name_of(file, mutant), "**a test is missing**"),
        ]
        for file, mutant in alive
    ]
    share = 1 - len(alive) / len(chosen)
    return "\n".join([
        "# Mutants\n",
        described(header(versions(), quick=False)),
        f"{text} {share:.0%} were noticed (target: at least 90 %: "
        f"{'met' if share >= 0.9 else 'missed'}).\n",
        markdown_table(rows, ["file", "mutants", "noticed", "share"]) + "\n",
        "## Not noticed\n",
        markdown_table(listed, ["where", "fault", "why no test notices"]) + "\n",
    ])  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-n", type=int, default=120, help="number of mutants (120)")
    parser.add_argument("--all", action="store_true", help="run every mutant (hours)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the sample (1)")
    text = "run only the mutants that this record has as not noticed"
    parser.add_argument("--again", action="store_true", help=text)
    parser.add_argument("--results", type=Path, default=ROOT / "docs", metavar="DIR")
    options = parser.parse_args()
    n_all, chosen = sample_mutants(10**6 if options.all else options.n, options.seed)
    names, path = [name_of(*x) for x in chosen], options.results / "mutation.json"
    before = [[name, None] for name in names]
    words = "--all" if options.all else f"-n {options.n} --seed {options.seed}"
    text = f"`python tests/mutation.py {words}`: {len(chosen)} of {n_all} mutants."
    if options.again:
        before = json.loads(path.read_text())
        first = sum(ended != "passed" for _, ended in before) / len(before)
        text += f" At first {first:.0%} were noticed; the rest ran again with new tests."
        if [name for name, _ in before] != names:
            raise SystemExit(f"{path} has other mutants: leave out --again")
    pytest = read_libraries()
    with tempfile.TemporaryDirectory() as folder:
        ends = [ended for _, ended in before]
        results = tried(chosen, ends, pytest, copied(Path(folder)))
    sys.path[0] = str(ROOT)
    pairs = list(map(list, zip(names, results, strict=True)))
    path.write_text(json.dumps(pairs, indent=0) + "\n")
    (options.results / "mutation.md").write_text(record(chosen, results, text))
    print(f"saved mutation.json, mutation.md in {options.results}")


if __name__ == "__main__":
    main()
