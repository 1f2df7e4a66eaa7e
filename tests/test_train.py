"""`mnist_gan/train.py`: artefacts, resume, interrupts, bad input."""

import csv
import inspect
import json
import math
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from helpers import ROOT, refused, slow
from PIL import Image
from training_runs import (
    RUN,
    TINY,
    assert_same_results,
    saved_weights,
    start_training,
    wait_for,
)

from common import plotting, sampling
from common.checkpoints import load_generator, load_model
from common.runs.folder import new_run
from common.training import summarize_performance, train
from mnist_gan import define_gan, train_discriminator
from mnist_gan.train import main

ARTEFACTS = {
    "options.json",
    "history.csv",
    "times.csv",
    "state.npz",
    "state_before.npz",
    "tensorboard",
    "loss_curves.png",
    "training.gif",
    "training.mp4",
}


def snapshot_names(epoch):
    return {
        f"generated_plot_e{epoch:03d}.png",
        f"generator_model_{epoch:03d}.h5",
        f"discriminator_model_{epoch:03d}.h5",
    }


def names(run):
    return {path.name for path in run.iterdir()}


def test_dry_run_writes_every_artefact(capsys):
    started = time.time()
    main(["--dry-run", "--seed", "3"])
    assert time.time() - started < 20
    assert names(RUN) == ARTEFACTS | snapshot_names(1)
    output = capsys.readouterr().out
    assert "SYNTHETIC" in output and "cores" in output and "float32" in output
    record = json.loads((RUN / "options.json").read_text())
    assert record["options"]["seed"] == 3 and record["data"]["name"] == "synthetic"
    assert record["data"]["shape"] == [512, 28, 28, 1]
    packages = {"python", "keras", "tensorflow", "numpy"}
    assert set(record["versions"]) == {*packages, "oneDNN"}
    load_generator(RUN / "generator_model_001.h5")
    (row,) = csv.DictReader((RUN / "history.csv").open())
    assert (row["epoch"], row["step"]) == ("1", "2")
    assert all(0 <= float(row[name]) <= 1 for name in ("acc_real", "acc_fake", "acc_adv"))
    assert float(row["d_loss"]) == pytest.approx(math.log(2), abs=0.1)


def test_the_best_preset_is_class_conditional():
    main(["--dry-run", "--preset", "best"])
    g_model, latent_dim, _ = load_generator(RUN / "generator_model_001.h5")
    assert (len(g_model.inputs), latent_dim) == (2, 40)
    options = json.loads((RUN / "options.json").read_text())["options"]
    assert (options["architecture"], options["d_batches"]) == ("narrow", "mixed")


@pytest.mark.slow
def test_dry_run_takes_a_slice_of_named_data(capsys):
    main(["--dry-run", "--data", "digits"])
    record = json.loads((RUN / "options.json").read_text())
    assert record["data"]["name"] == "digits"
    assert "SYNTHETIC" not in capsys.readouterr().out


def test_a_row_of_the_picture_is_a_class_and_the_models_have_its_name():
    """There are ten classes; a cell has 28 pixels and a gap of 2."""
    main(["--dry-run", "--data", "digits", "--conditional", "--architecture", "dense"])
    with Image.open(RUN / "generated_plot_e001.png") as picture:
        assert picture.size == (2 * 302, 2 * 302)
    with h5py.File(RUN / "generator_model_001.h5") as file:
        assert json.loads(file.attrs["classes"]) == [str(i) for i in range(10)]


@pytest.mark.slow
def test_history_has_a_row_every_ten_steps_and_snapshots_follow_save_every(capsys):
    words = ["--preset", "quick", "--epochs", "3", "--save-every", "2"]
    words += ["--precision", "bfloat16", "--learning-rate", "0.5"]
    main([*TINY[:4], "--steps-per-epoch", "23", *words])
    rows = [(r["epoch"], r["step"]) for r in csv.DictReader((RUN / "history.csv").open())]
    assert rows == [(e, s) for e in "123" for s in ("10", "20", "23")]
    assert names(RUN) == ARTEFACTS | snapshot_names(2) | snapshot_names(3)
    assert "precision: bfloat16" in capsys.readouterr().out
    assert load_model(RUN / "generator_model_003.h5").count_params() < 500_000
    with np.load(RUN / "state.npz") as state:
        rates = [state[n] for n in state.files if n.endswith("learning_rate")]
    assert len(rates) == 2 and all(rate == 0.5 for rate in rates)


@pytest.mark.slow
def test_seed_and_resume_are_reproducible_bit_for_bit():
    words = [*TINY, "--save-every", "1"]
    main([*words, "--epochs", "2", "--run-dir", "unbroken"])
    main([*words, "--epochs", "1", "--run-dir", "parts"])
    with Path("parts/history.csv").open("a") as history:
        history.write("2,1,9.0,9.0,9.0,9.0,9.0\n1")  # an unfinished epoch
    main(["--resume", "parts", "--epochs", "2"])
    assert_same_results(Path("unbroken"), Path("parts"), 2)
    assert names(Path("unbroken")) == names(Path("parts"))


@pytest.mark.slow
def test_another_seed_is_another_run():
    words = [*TINY[:-1], "6", "--epochs", "1"]
    main([*TINY, "--epochs", "1", "--run-dir", "one"])
    main([*words, "--run-dir", "other"])
    one, other = (saved_weights(Path(run), 1) for run in ("one", "other"))
    assert not np.array_equal(one, other)


def test_run_folders_are_numbered_and_never_overwritten(capsys):
    assert new_run("mnist_gan") == RUN
    assert new_run("mnist_gan") == RUN.parent / "0002"
    (RUN / "generator_model_001.h5").write_text("the user's")
    assert "not empty" in refused(capsys, main, "--dry-run", "--run-dir", RUN)


BAD_OPTIONS = {
    "batch size 0": (["--batch-size", "0"], "even number"),
    "odd batch size": (["--batch-size", "7"], "even number"),
    "negative batch size": (["--batch-size", "-2"], "even number"),
    "batch size in words": (["--batch-size", "many"], "even number"),
    "batch larger than data": (["--data", "digits", "--batch-size", "5000"], "2500 real"),
    "negative epochs": (["--epochs", "-1"], "at least 1"),
    "no epochs": (["--epochs", "0"], "at least 1"),
    "half an epoch": (["--epochs", "0.5"], "at least 1"),
    "learning rate 0": (["--learning-rate", "0"], "above 0"),
    "negative learning rate": (["--learning-rate", "-1"], "above 0"),
    "infinite learning rate": (["--learning-rate", "inf"], "finite"),
    "no learning rate": (["--learning-rate", "nan"], "finite"),
    "learning rate in words": (["--learning-rate", "fast"], "finite"),
    "no latent vector": (["--latent-dim", "0"], "at least 1"),
    "no steps": (["--steps-per-epoch", "0"], "at least 1"),
    "never saved": (["--save-every", "0"], "at least 1"),
    "negative seed": (["--seed", "-3"], "at least 0"),
    "huge seed": (["--seed", str(2**32)], "at most 4294967295"),
    "unknown precision": (["--precision", "float8"], "float8"),
    "unknown preset": (["--preset", "slow"], "slow"),
    "unknown option": (["--epoch", "3"], "--epoch"),
    "no such data": (["--data", "nowhere"], "nowhere"),
    "unknown device": (["--data", "digits", "--device", "tpu"], "tpu"),
    "resume nothing": (["--resume", "nowhere"], "not a run folder"),
    "resume and run dir": (["--resume", "a", "--run-dir", "b"], "--run-dir"),
    "not writable": (["--data", "digits", "--run-dir", "/proc/run"], "--run-dir"),
    "no UTF-8": (["--data", "digits", "--run-dir", "q\udce9"], "not UTF-8"),
    "a file as run dir": (["--data", "digits", "--run-dir", "file"], "file"),
}


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_options_get_one_message_and_leave_nothing(capsys, case):
    words, expected = BAD_OPTIONS[case]
    Path("file").touch()
    before = sorted(Path().iterdir())
    assert expected in refused(capsys, main, *words)
    assert sorted(Path().iterdir()) == before


@pytest.mark.slow
def test_runs_that_cannot_be_resumed(capsys):
    main([*TINY, "--preset", "quick", "--epochs", "1", "--run-dir", "run"])
    resume = ["--resume", "run"]
    capsys.readouterr()
    assert "--batch-size" in refused(capsys, main, *resume, "--batch-size", 16)
    assert "a larger --epochs" in refused(capsys, main, *resume)
    record = json.loads(Path("run/options.json").read_text())
    changed = {**record, "data": {**record["data"], "fingerprint": "other"}}
    Path("run/options.json").write_text(json.dumps(changed))
    assert "images now given" in refused(capsys, main, *resume, "--epochs", 2)
    Path("run/options.json").write_text(json.dumps({**record, "script": "x/train.py"}))
    assert "x/train.py" in refused(capsys, main, *resume, "--epochs", 2)
    Path("run/options.json").write_text("{")
    assert "not valid JSON" in refused(capsys, main, *resume, "--epochs", 2)
    Path("run/options.json").write_text(json.dumps(record))
    assert "a larger --epochs" in refused(capsys, main, *resume, "--epochs", 1)
    assert json.loads(Path("run/options.json").read_text()) == record
    other = {**record, "options": {**record["options"], "architecture": "tutorial"}}
    Path("run/options.json").write_text(json.dumps(other))
    assert "does not match" in refused(capsys, main, *resume, "--epochs", 2)
    assert json.loads(Path("run/options.json").read_text()) == other
    for state in Path("run").glob("state*.npz"):
        state.unlink()
    assert "to resume from" in refused(capsys, main, *resume, "--epochs", 2)


@pytest.mark.slow
def test_a_run_that_was_killed_before_its_first_state_restarts():
    main([*TINY, "--epochs", "1", "--run-dir", "unbroken", "--preset", "quick"])
    Path("parts").mkdir()
    shutil.copy("unbroken/options.json", "parts")
    main(["--resume", "parts"])
    assert_same_results(Path("unbroken"), Path("parts"), 1)


@pytest.mark.slow
@pytest.mark.parametrize("lost", ["[lt]*.*", "[glt]*_*.*"])
def test_a_run_that_was_killed_after_its_last_epoch_gets_its_missing_files(capsys, lost):
    """Either curves and video, or also the last picture and models, are missing."""
    main([*TINY, "--epochs", "1", "--run-dir", "run", "--preset", "quick"])
    run = Path("run")
    pictures = [*run.glob("*.png"), run / "training.gif"]
    before = [path.read_bytes() for path in pictures]
    g_model = load_model(run / "generator_model_001.h5").get_weights()
    for path in {*run.glob(lost), run / "training.gif"}:
        path.unlink()
    main(["--resume", "run"])
    assert [path.read_bytes() for path in pictures] == before
    again = load_model(run / "generator_model_001.h5").get_weights()
    assert all(map(np.array_equal, again, g_model))
    capsys.readouterr()
    assert "a larger --epochs" in refused(capsys, main, "--resume", "run")


@pytest.mark.slow
def test_a_run_stopped_in_its_first_epoch_can_be_resumed():
    process = start_training("--epochs", "2", "--steps-per-epoch", "100000")
    wait_for(RUN / "history.csv", process)
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 130 and f"--resume {RUN}" in output
    with np.load(RUN / "state.npz") as state:
        assert int(state["epoch"]) == 0
    assert (RUN / "history.csv").read_text().count("\n") == 1


@pytest.mark.parametrize("sent, code", [(signal.SIGINT, 130), slow(signal.SIGTERM, 143)])
def test_interrupt_keeps_the_last_epoch_and_prints_how_to_resume(sent, code):
    words = ["--epochs", "1000", "--steps-per-epoch", "3", "--preset", "quick"]
    process = start_training(*words, "--save-every", "1000")
    wait_for(RUN / "times.csv", process)
    time.sleep(0.7)
    process.send_signal(sent)
    started = time.time()
    output, _ = process.communicate(timeout=60)
    assert sent == signal.SIGINT or time.time() - started < 10
    assert process.returncode == code
    assert "Traceback" not in output and f"--resume {RUN}" in output
    with np.load(RUN / "state.npz") as state:
        epoch = int(state["epoch"])
    assert snapshot_names(epoch) <= names(RUN)
    rows = list(csv.DictReader((RUN / "history.csv").open()))
    assert int(rows[-1]["epoch"]) == epoch and len(rows) == epoch
    main(["--resume", str(RUN), "--epochs", str(epoch + 1)])
    assert snapshot_names(epoch + 1) <= names(RUN)


@pytest.mark.parametrize(
    "function, expected",
    [
        (define_gan.define_gan, "g_model d_model"),
        (sampling.generate_real_samples, "dataset n_samples"),
        (sampling.generate_latent_points, "latent_dim n_samples"),
        (sampling.generate_fake_samples, "g_model latent_dim n_samples"),
        (train_discriminator.train_discriminator, "model dataset n_iter n_batch"),
        (
            train,
            "g_model d_model gan_model dataset latent_dim=100 n_epochs=100 n_batch=256",
        ),
        (summarize_performance, "epoch g_model d_model dataset latent_dim"),
        (plotting.save_plot, "examples epoch"),
    ],
)
def test_arguments_come_in_the_tutorials_order(function, expected):
    found = inspect.signature(function).parameters.values()
    for parameter, words in zip(found, expected.split(), strict=False):
        name, _, default = words.partition("=")
        assert parameter.name == name
        assert not default or parameter.default == int(default)


@pytest.mark.parametrize("folder", ["mnist_gan", "cifar10_gan", "celeba_gan"])
def test_help_is_short_and_needs_no_keras(folder):
    script = str(ROOT / folder / "train.py")
    words = [sys.executable, "-X", "importtime", script, "--help"]
    answer = subprocess.run(words, capture_output=True, text=True)
    assert answer.returncode == 0
    basic, _, _ = answer.stdout.partition("\nTraining:")
    assert len(basic.splitlines()) <= 20
    assert not re.search(r"\b(keras|tensorflow|matplotlib)\b", answer.stderr)
