"""Faults of the machine and of its user: nothing is lost, and one sentence tells why."""

import argparse
import os
import pty
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from threading import Timer

import bad_files
import keras
import numpy as np
import pytest
from helpers import ROOT, refused, run_script, slow
from training_runs import RUN, TINY, assert_same_results, start_training, wait_for

from common.basics.cli import command
from common.basics.errors import UserError
from common.basics.files import alone_in, whole
from common.fitting import memory
from common.runs import folder as runs
from common.runs.state import BEFORE, find_state
from mnist_gan import define_discriminator, define_generator
from mnist_gan.train import main

SCRIPT = str(ROOT / "mnist_gan" / "train.py")
QUICK = [*TINY, "--preset", "quick", "--save-every", "1"]


def states(run):
    return {p.name: p.read_bytes() for p in Path(run).glob("state*.npz")}


def bytes_in(folder):
    return sum(path.stat().st_size for path in Path(folder).rglob("*"))


def on_small_disk(words, mebibytes):
    """Go on with the run in `run` on a disk of its own, which the kernel makes for it."""
    Path("disk").mkdir()
    inner = (
        f"mount -t tmpfs -o size={mebibytes}m none disk && cp -r run disk && "
        f"{sys.executable} {SCRIPT} --resume disk/run {' '.join(words)}; code=$?; "
        "cp -r disk/run after; exit $code"
    )
    return subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inner],
        capture_output=True,
        text=True,
        timeout=120,
    )


def with_small_files(words, most):
    """The same where no file may be larger, as where no disk can be made."""
    shutil.copytree("run", "after")
    return subprocess.run(
        [sys.executable, SCRIPT, "--resume", "after", *words],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.mark.slow
def test_a_full_disk_leaves_the_state_that_was_there():
    main([*QUICK, "--epochs", "1", "--run-dir", "run"])
    words = ["--epochs", "3"]
    small = bytes_in("run") // 2**20 + 2  # the models of an epoch fit, its state does not
    answer = on_small_disk(words, small)
    if "unshare" in answer.stderr or "mount" in answer.stderr:
        shutil.rmtree("after", ignore_errors=True)
        answer = with_small_files(words, 3 * 2**20)
    assert answer.returncode == 3, answer.stderr
    assert answer.stderr.startswith("error: ") and answer.stderr.count("\n") == 1
    assert "make room" in answer.stderr
    assert states("after") == states("run")
    assert not list(Path("after").glob(".*"))
    main(["--resume", "after", "--epochs", "2"])
    main([*QUICK, "--epochs", "2", "--run-dir", "whole"])
    assert_same_results(Path("whole"), Path("after"), 2)


SAVE = """
import resource, sys
from pathlib import Path
import keras
from common.checkpoints import save_models
from common.basics.cli import command

@command
def main(argv):
    model = keras.Sequential([keras.Input((10,)), keras.layers.Dense(1000)])
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))
    save_models(Path(), 1, model, model)

main()
"""


def test_a_full_disk_while_a_model_is_saved_does_not_crash_python():
    """As HDF5 does at the end, where it could not write all."""
    answer = subprocess.run(
        [sys.executable, "-c", SAVE],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    assert answer.returncode == 3, answer.stderr
    (said,) = (x for x in answer.stderr.splitlines() if x.startswith("error: "))
    assert "generator_model_001.h5: File too large; make room" in said
    assert "Traceback" not in answer.stderr and not list(Path().glob("*.h5"))


def test_a_batch_that_cannot_fit_is_refused_with_one_that_does(capsys, monkeypatch):
    Path("mine").mkdir()
    before = sorted(Path().iterdir())
    monkeypatch.setattr(memory, "free_bytes", lambda: 700 * 2**20)
    words = ["--data", "digits", "--batch-size"]
    for run in ([], ["--run-dir", "new"], ["--run-dir", "mine"]):
        sentence = refused(capsys, main, *words, 1000, *run)
        assert "at most --batch-size 256" in sentence and "GiB are free" in sentence
        assert sorted(Path().iterdir()) == before
    memory.check(*pair(), 256)
    monkeypatch.setattr(memory, "free_bytes", lambda: 2**20)
    assert "smaller models" in refused(capsys, main, *words, 2)


def test_what_a_step_takes_grows_as_the_layers_outputs():
    an_image, always = memory.bytes_of_step(*pair())
    outputs = 3 * 7 * 7 * 128 + 2 * 14 * 14 * 128 + 2 * 28 * 28 * 128 + 28 * 28
    outputs += 3 * 14 * 14 * 64 + 3 * 7 * 7 * 64 + 7 * 7 * 64 + 1
    assert an_image == 4 * outputs
    assert always == 16 * (1_164_289 + 40_705)
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert 0.5 * an_image <= memory.bytes_of_step(*pair())[0] < 0.51 * an_image


def pair():
    return (
        define_generator.define_generator(100),
        define_discriminator.define_discriminator(),
    )


def test_a_container_has_the_memory_that_its_limit_leaves(tmp_path, monkeypatch):
    """Its own limit, and those of the groups around it."""
    inner = tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    names = memory.CGROUPS[""][:-1]
    monkeypatch.setattr(memory, "CGROUPS", {"": (*names, str(tmp_path))})
    monkeypatch.setattr(memory, "OWN_GROUPS", tmp_path / "own")
    (tmp_path / "own").write_text("3:cpu,cpuacct:/other\n0::/outer/inner\n")
    for folder in (inner, inner.parent):
        (folder / "memory.max").write_text(str(3 * 2**20))
        (folder / "memory.current").write_text(str(2 * 2**20))
        (folder / "memory.stat").write_text(f"anon 5\ninactive_file {2**19}\n")
        assert memory.free_bytes() == 1.5 * 2**20
        (folder / "memory.max").write_text("max\n")
        assert memory.free_bytes() > 2**28


@pytest.mark.parametrize("taker", [np, slow(keras.ops)])
def test_memory_that_runs_out_gives_one_sentence_and_exit_code_3(capsys, taker):
    """NumPy's, and TensorFlow's, which tells much more."""

    @command
    def take_all(argv):
        taker.zeros((2**20, 2**25), "int32")

    assert "memory ran out" in refused(capsys, take_all, code=3)


def test_what_is_our_own_fault_keeps_its_traceback():
    @command
    def divide(argv):
        return 1 / 0

    with pytest.raises(ZeroDivisionError):
        divide([])


TAKE = """
import sys
from pathlib import Path
from common.runs import folder as runs
runs.take(Path(sys.argv[1]))
print("taken", flush=True)
sys.stdin.read()
"""


def test_a_second_process_on_a_run_is_refused():
    """Also at a moment when a file of the first one is none: it is being renamed."""
    run = Path("run")
    run.mkdir()
    record = {"script": SCRIPT, "options": {"epochs": 1}, "data": {"fingerprint": ""}}
    runs.write_record(run, record)
    os.mkfifo(run / "state.npz")
    other = subprocess.Popen(
        [sys.executable, "-c", TAKE, run],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert other.stdout.readline() == b"taken\n"
    with pytest.raises(UserError, match="another process"):
        runs.start_run(SCRIPT, argparse.Namespace(resume="run"), {}, "")
    other.kill()  # as a crash does
    other.communicate()
    runs.take(run)
    runs.take(run)  # in this process, once more
    assert {path.name for path in run.iterdir()} == {"options.json", "state.npz"}


LOOP = """
from common.basics import cli
class Loop:
    def __del__(self):
        print("looked for at the end")
loop = Loop()
loop.itself = loop
del loop
print("the end")
"""


def test_a_script_ends_without_a_search_for_garbage():
    """Which takes half a minute after a long training."""
    words, env = [sys.executable, "-c", LOOP], {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run(words, capture_output=True, text=True, env=env)
    assert answer.stdout == "the end\n", answer.stderr


INSIDE = """
import sys
from pathlib import Path
from common.basics.files import alone_in
with alone_in(Path()):
    print("inside", flush=True)
    sys.stdin.read()
    Path("ready").touch()
"""


def test_who_is_second_waits_for_the_first_and_says_so(capsys):
    """As two processes do that want the same classifier."""
    first = subprocess.Popen(
        [sys.executable, "-c", INSIDE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert first.stdout.readline() == b"inside\n"
    Timer(0.5, first.stdin.close).start()
    with alone_in(Path()):
        assert Path("ready").exists()
    assert "waiting for another process" in capsys.readouterr().out
    first.wait()


@pytest.mark.slow
def test_a_run_that_cannot_be_written_is_refused():
    main([*QUICK, "--epochs", "1", "--run-dir", "run"])
    Path("other").mkdir()
    runs.take(Path("other"))  # so that this process lets go of the run
    inner = (
        "mount --bind run run && mount -o remount,bind,ro run && "
        f"exec {sys.executable} {SCRIPT} --resume run --epochs 2"
    )
    answer = subprocess.run(
        ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", inner],
        capture_output=True,
        text=True,
        timeout=120,
    )
    if "unshare" in answer.stderr or "mount" in answer.stderr:
        pytest.skip("no folder can be made read-only here")
    assert answer.returncode == 2
    assert "cannot be written" in answer.stderr and answer.stderr.count("\n") == 1


LONG = ["--epochs", "1000", "--preset", "quick", "--save-every", "1000"]


@pytest.mark.slow
@pytest.mark.parametrize(
    "signals, code",
    [([signal.SIGHUP], 129), ([signal.SIGINT, signal.SIGINT], 130)],
)
def test_a_signal_is_answered_within_ten_seconds_and_nothing_is_lost(signals, code):
    process = start_training(*LONG)
    wait_for(RUN / BEFORE, process)
    started = time.time()
    for number in signals:
        process.send_signal(number)
        time.sleep(0.3)
    said, _ = process.communicate(timeout=60)
    assert time.time() - started < 10
    assert process.returncode == code and "Traceback" not in said
    assert f"--resume {RUN}" in said
    epoch = find_state(RUN)[1].epoch
    main(["--resume", str(RUN), "--epochs", str(epoch + 1)])
    assert find_state(RUN)[1].epoch == epoch + 1


def test_a_signal_within_a_destructor_is_not_lost(capsys):
    class Array:
        def __del__(self):
            signal.raise_signal(signal.SIGINT)

    @command
    def train(argv):
        Array()
        time.sleep(20)

    started = time.time()
    with pytest.raises(SystemExit) as stop:
        train()
    assert time.time() - started < 10
    assert stop.value.code == 130 and capsys.readouterr().err == ""


@pytest.mark.slow
def test_a_closed_terminal_ends_the_run_and_keeps_its_state():
    """The terminal's other end is closed: the kernel sends SIGHUP, and writing fails."""
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, [sys.executable, SCRIPT, *TINY, *LONG])
    while not (RUN / BEFORE).exists():
        os.read(terminal, 4096)
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 129
    epoch = find_state(RUN)[1].epoch
    assert (RUN / f"generator_model_{epoch:03d}.h5").exists()
    main(["--resume", str(RUN), "--epochs", str(epoch + 1)])


@pytest.mark.slow
def test_nohup_outlives_its_terminal():
    """SIGHUP, where it was ignored from the start, stays ignored."""
    process = subprocess.Popen(
        ["nohup", sys.executable, SCRIPT, *QUICK, "--epochs", "1"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    wait_for(RUN / "state.npz", process)
    process.send_signal(signal.SIGHUP)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.slow
def test_output_in_a_file_has_no_control_characters_and_needs_no_display():
    environment = {"TERM": "dumb", "DISPLAY": ""}
    answer = run_script("mnist_gan/train.py", *QUICK, "--epochs", "2", **environment)
    assert answer.returncode == 0, answer.stderr
    said = answer.stdout + answer.stderr
    assert not [c for c in said if ord(c) < 32 and c != "\n"]
    assert (RUN / "loss_curves.png").exists()


@pytest.mark.slow
def test_a_dumb_terminal_gets_no_control_characters():
    child, terminal = pty.fork()
    if child == 0:
        os.environ["TERM"] = "dumb"
        os.execv(sys.executable, [sys.executable, SCRIPT, *QUICK, "--epochs", "2"])
    said = b""
    try:
        while part := os.read(terminal, 4096):
            said += part
    except OSError:  # the terminal's end
        pass
    os.waitpid(child, 0)
    assert b"done" in said
    assert not [c for c in said.replace(b"\r\n", b"\n") if c < 32 and c != 10]


def test_data_that_are_no_numbers_are_refused(capsys):
    images = np.zeros((20, 28, 28), "float32")
    images[3, 5, 5] = np.nan
    np.savez("images.npz", x_train=images)
    words = ["--data", "images.npz", "--batch-size", "4"]
    assert "nan" in refused(capsys, main, *words)
    assert not Path("runs").exists()


@pytest.mark.slow
def test_data_that_changed_between_two_runs_are_refused(capsys):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (20, 28, 28), np.uint8)
    np.savez("images.npz", x_train=images)
    words = ["--data", "images.npz", "--batch-size", "4", "--steps-per-epoch", "1"]
    main([*words, "--preset", "quick", "--epochs", "1", "--run-dir", "run"])
    before = states("run")
    images[7, 3, 3] ^= 1
    np.savez("images.npz", x_train=images)
    capsys.readouterr()
    assert "now there are others" in refused(
        capsys, main, "--resume", "run", "--epochs", 2
    )
    assert states("run") == before


def test_all_options_that_differ_are_named():
    Path("run").mkdir()
    options = {"epochs": 1, "batch_size": 8, "ema": 0.0, "save_every": 1}
    record = {"script": "a.py", "data": {"fingerprint": "0"}, "options": options}
    runs.write_record(Path("run"), record)
    given = {"epochs": 2, "batch_size": 16, "ema": 0.5, "save_every": 3}
    with pytest.raises(UserError) as refusal:
        runs.resumed_options("run", "a.py", given)
    sentence = str(refusal.value)
    assert "--batch-size 16 (the run's: 8)" in sentence and "--ema 0.5" in sentence
    assert "--save-every" not in sentence and "--epochs" not in sentence
    merged = runs.resumed_options("run", "a.py", {"epochs": 2, "save_every": 3})
    assert merged == {**options, "epochs": 2, "save_every": 3}


def test_other_versions_are_told_when_a_run_goes_on():
    now = runs.all_versions()
    assert runs.other_versions({"versions": now}) == ""
    said = runs.other_versions({"versions": {**now, "keras": "2.15.0"}})
    assert said == f"keras {now['keras']} (the run's: 2.15.0)"
    earlier = {name: now[name] for name in now if name != "oneDNN"}
    said = runs.other_versions({"versions": earlier})
    assert said == f"oneDNN {now['oneDNN']} (the run's: unknown)"


def test_a_file_is_written_whole_and_never_through_a_link():
    Path("precious").write_text("the user's")
    Path(".new").symlink_to("precious")
    with whole(Path("new")) as part:
        part.write_text("ours")
    assert Path("precious").read_text() == "the user's"
    assert Path("new").read_text() == "ours" and not Path("new").is_symlink()
    with pytest.raises(KeyboardInterrupt), whole(Path("new")) as part:
        part.write_text("half")
        raise KeyboardInterrupt
    assert Path("new").read_text() == "ours" and not part.exists()


@pytest.mark.parametrize("links", [True, False])
def test_ctrl_c_between_two_renames_leaves_the_file_that_was_there(monkeypatch, links):
    """Also on a disk that gives no file a second name."""
    path, before = Path("new"), Path("before")
    path.write_text("first")
    rename = Path.replace

    def interrupted(old, new):
        if new == path and before.exists() and "second" in old.read_text():
            raise KeyboardInterrupt
        return rename(old, new)

    if not links:
        monkeypatch.setattr(os, "link", lambda *names: os.open("/nowhere", os.O_RDONLY))
    with monkeypatch.context() as change:
        change.setattr(Path, "replace", interrupted)
        with pytest.raises(KeyboardInterrupt), whole(path, before) as part:
            part.write_text("second")
    assert path.read_text() == "first" and not part.exists()
    assert before.exists() == links
    for text, older in (("second", "first"), ("third", "second")):
        with whole(path, before) as part:
            part.write_text(text)
        assert (path.read_text(), before.read_text()) == (text, older)
    assert sorted(Path().iterdir()) == [before, path]


def test_a_run_killed_between_two_renames_knows_whether_it_is_drawn():
    bad_files.a_run()
    run = Path("run")
    (run / "state.npz").rename(run / BEFORE)
    state, *_ = find_state(run)
    assert runs.is_drawn(state)
    (run / "training.gif").unlink()
    assert not runs.is_drawn(state)


@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&-"])
def test_closed_streams_are_no_fault(closed):
    words = f"{sys.executable} {ROOT}/common/generate.py nowhere.h5 {closed}"
    answer = subprocess.run(["sh", "-c", words], capture_output=True, text=True)
    assert answer.returncode == 2
    said = ["error: nowhere.h5" in answer.stderr, answer.stderr == ""]
    assert said == ["2>" not in closed, "2>" in closed] and answer.stdout == ""


def test_names_that_the_output_cannot_hold_are_told_in_another_way():
    Path("runs/x/ü").mkdir(parents=True)
    Path("runs/x/ü/generator_model_001.h5").touch()
    answer = run_script("common/generate.py", PYTHONIOENCODING="ascii")
    assert answer.returncode == 0, answer.stderr
    assert "\\xfc/generator_model_001.h5" in answer.stdout
