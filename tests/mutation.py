"""Would the tests notice a fault? Faults are put in one by one, and the tests run.

Changes the adversarial step, the objectives and the scores, in a copy of the repository;
each mutant has a process of its own, forked from one that has read Keras already, and the
tests below, until the first fails. What no test noticed is listed in docs/mutation.md.
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
BY_HAND = "tests/test_objectives.py"
EVERYWHERE = "tests/test_objectives_everywhere.py"
CLASSES = "tests/test_conditional.py"
TESTS = {  # file -> the test files that fit, and pytest's -k
    "common/gan.py": (
        f"{BY_HAND} tests/test_gan.py tests/test_architectures.py",
        "(test_objectives and (bce or hinge) and not (mixed or lowers or adam)) or "
        "(test_gan and (by_hand or batch_stat or shares or differ or flag or running "
        "or logged or own_batch)) or outlasts",
    ),
    "common/scores.py": ("tests/test_scores.py", ""),
    "common/objectives/__init__.py": (EVERYWHERE, "option"),
    "common/objectives/began.py": (BY_HAND, "(began or k_) and not mixed"),
    "common/objectives/ebgan.py": (BY_HAND, "(ebgan or pull or like) and not mixed"),
    "common/objectives/gradients.py": (BY_HAND, "gp or r3gan or slope or penalty"),
    "common/objectives/heads.py": (
        f"{EVERYWHERE} {CLASSES}",
        "mnist and (score or energy or energies) or classifying or blocks",
    ),
    "common/objectives/losses.py": (
        f"{BY_HAND} tests/test_extensions.py",
        "((minimax or wgan or hinge or lsgan) and not gp) or smoothing or unsure",
    ),
    "common/objectives/own_losses.py": (BY_HAND, "gp or r3gan or ebgan or critic"),
    "common/objectives/r3gan.py": (BY_HAND, "(r3gan or r1) and not mixed"),
    "common/objectives/table.py": (
        f"{BY_HAND} {CLASSES} tests/test_extensions.py",
        "by_hand or test_objectives and not (mixed or lowers) or each_step or unsure",
    ),
    "common/objectives/wgan_gp.py": (BY_HAND, "(gp or penalty) and not mixed"),
}


def drawn(n, seed):
    """n mutants of all files, drawn at random: [(file, mutant), ...] in their order."""
    found = [(f, m) for f in TESTS for m in mutants((ROOT / f).read_text())]
    picks = random.Random(seed).sample(range(len(found)), min(n, len(found)))
    return len(found), [found[i] for i in sorted(picks)]


def copied(folder):
    """A copy of what git knows of the repository, and of what is new in it."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.py"]
    names = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True)
    for name in [*names.stdout.split(), "pyproject.toml"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def read_libraries():
    """Import what takes seconds, once, and nothing that starts threads of its own."""
    os.environ |= {"CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # seconds for each mutant
    sys.dont_write_bytecode = True
    for name in ("keras", "tensorflow", "scipy.stats", "sklearn.neighbors"):
        import_module(name)
    return import_module("pytest")


def noticed(pytest, folder, file, limit):
    """Run the tests that fit a file, in a fork; return how that ended, and the seconds.

    Returns:
        "passed", "failed" or "too slow"; the latter two say that a fault was noticed.
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


def survivors(chosen, pytest, folder):
    """Try the mutants.

    Returns:
        [[file, mutant, how it ended], ...] of all of them.
    """
    results, limits = [], {}
    for i, (file, mutant) in enumerate(chosen, start=1):
        path, source = folder / file, (ROOT / file).read_text()
        if file not in limits:  # without a fault the tests must pass
            ended, seconds = noticed(pytest, folder, file, limit=900)
            if ended != "passed":
                raise SystemExit(f"{file}: its tests fail as it is")
            limits[file] = 3 * seconds + 20
        path.write_text(mutant[-1])
        ended, seconds = noticed(pytest, folder, file, limits[file])
        path.write_text(source)
        print(f"{i}/{len(chosen)} {file}:{mutant[1]} {mutant[2]} -> {mutant[3]}: "
              f"{ended}, {seconds:.0f} s", flush=True)  # fmt: skip
        results.append([file, mutant, ended])
    return results


def name_of(file, mutant):
    """What tells a mutant from others, whatever lines come before it."""
    place, _, before, after, _ = mutant
    return f"{file} | {place} | {before} -> {after}"


def record(results, n_all, seed, minutes):
    """The record as Markdown: counts by file, and each survivor with its reason."""
    from benchmarks.summary import described, header, lines_of
    from common.runs import versions

    reasons = json.loads(REASONS.read_text())
    files = {file: [r for r in results if r[0] == file] for file in TESTS}
    alive = [r for r in results if r[2] == "passed"]
    counts = [
        (file, len(rows), len(rows) - sum(r in alive for r in rows))
        for file, rows in files.items()
        if rows
    ]
    counts.append(("all", len(results), len(results) - len(alive)))
    by_file = [[f, str(n), str(k), f"{k / n:.0%}"] for f, n, k in counts]
    listed = [
        [
            f"`{file}`:{mutant[1]}",
            f"`{mutant[2]}` -> `{mutant[3]}`".replace("|", "\\|"),
            reasons.get(name_of(file, mutant), "**a test is missing**"),
        ]
        for file, mutant, _ in alive
    ]
    share = counts[-1][2] / counts[-1][1]
    return "\n".join([
        "# Mutants\n",
        described(header(versions(), quick=False)),
        f"`make mutation`: {len(results)} of {n_all} mutants, drawn with seed {seed}, in "
        f"{minutes:.0f} minutes. {share:.0%} were noticed (target: at least 90 %: "
        f"{'met' if share >= 0.9 else 'missed'}).\n",
        lines_of(["file", "mutants", "noticed", "share"], by_file),
        "## Not noticed\n",
        lines_of(["where", "fault", "why no test notices"], listed),
    ])  # fmt: skip


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("-n", type=int, default=120, help="number of mutants (120)")
    parser.add_argument("--all", action="store_true", help="every mutant: hours")
    parser.add_argument("--seed", type=int, default=1, help="of the drawing (1)")
    parser.add_argument("--only", default="", help="mutants whose name holds this")
    parser.add_argument("--record", type=Path, default=ROOT / "docs/mutation.md")
    options = parser.parse_args()
    n_all, chosen = drawn(10**6 if options.all else options.n, options.seed)
    chosen = [x for x in chosen if options.only in name_of(*x)]
    started, pytest = time.time(), read_libraries()
    with tempfile.TemporaryDirectory() as folder:
        results = survivors(chosen, pytest, copied(Path(folder)))
    sys.path[0] = str(ROOT)
    minutes = (time.time() - started) / 60
    options.record.write_text(record(results, n_all, options.seed, minutes))
    print(f"saved {options.record}")


if __name__ == "__main__":
    main()
