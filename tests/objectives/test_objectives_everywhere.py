"""Every objective with the models of every folder, and on the command line."""

import csv
import json
import os
import subprocess
import sys
from dataclasses import replace
from functools import partial
from itertools import product
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import ROOT, refused, slow
from small_gans import weights
from tiny_gans import POINTS, new_gan

from celeba_gan import dense
from celeba_gan import quick as celeba_quick
from celeba_gan.define_discriminator import define_discriminator as celeba_d
from celeba_gan.define_gan import define_gan as celeba_gan
from celeba_gan.define_generator import define_generator as celeba_g
from cifar10_gan import quick as cifar10_quick
from cifar10_gan.define_discriminator import define_discriminator as cifar10_d
from cifar10_gan.define_generator import define_generator as cifar10_g
from common import plotting
from common.architectures import resnet
from common.checkpoints import load_discriminator, load_model, save_models
from common.objectives import heads, pretraining
from common.objectives.table import OBJECTIVES
from common.options.training_options import training_options
from mnist_gan import quick as mnist_quick
from mnist_gan.define_discriminator import define_discriminator as mnist_d
from mnist_gan.define_generator import define_generator as mnist_g
from mnist_gan.train import SCRIPT
from mnist_gan.train import main as mnist
from toy_gan import plots
from toy_gan.train_points import main as toy

SMALL = (32, 32, 3)


def all_of(module, g_options, d_options):
    """A folder's three functions, with the shape of its images settled."""
    return (
        partial(module.define_generator, **g_options),
        partial(module.define_discriminator, **d_options),
        getattr(module, "define_gan", celeba_gan),
    )


AT_32 = {"out_shape": SMALL}, {"in_shape": SMALL}
QUICK = {
    "points": POINTS,
    "mnist quick": all_of(mnist_quick, {}, {}),
    "cifar10 quick": all_of(cifar10_quick, {}, {}),
    "celeba quick": all_of(celeba_quick, *AT_32),
    "celeba": (partial(celeba_g, out_shape=SMALL), partial(celeba_d, SMALL), celeba_gan),
}
FOLDERS = {name: functions[:2] for name, functions in QUICK.items()} | {
    "mnist": (mnist_g, mnist_d),
    "cifar10": (cifar10_g, cifar10_d),
    "celeba dense": all_of(dense, *AT_32)[:2],
}


def images_for(d_model, n=4, seed=0):
    shape = (n, *d_model.input_shape[1:])
    return np.random.default_rng(seed).uniform(-1, 1, shape).astype("float32")


def kinds(model):
    """The names of the classes of all layers, inner models' included."""
    return {type(layer).__name__ for layer in model._flatten_layers()}


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_score_is_what_the_sigmoid_was_given(folder):
    _, define_d = FOLDERS[folder]
    d_model = define_d()
    x, before = images_for(d_model), weights(d_model)
    p = d_model(x).numpy()
    scores = heads.score(d_model, None)(x).numpy()
    np.testing.assert_allclose(scores, np.log(p / (1 - p)), atol=1e-3, rtol=1e-3)
    assert np.array_equal(weights(d_model), before)


@pytest.mark.parametrize("folder", FOLDERS)
def test_an_own_score_depends_on_its_own_image_alone(folder):
    """Also in training; of the folders' D only that of CelebA has BatchNormalization."""
    _, define_d = FOLDERS[folder]
    assert ("BatchNormalization" in kinds(define_d())) == (folder == "celeba")
    d_model = heads.score_of_single_images(define_d(), None)
    for layer in d_model.layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    assert "BatchNormalization" not in kinds(d_model)
    assert d_model.layers[-1].activation is keras.activations.linear
    assert len(d_model.layers) == len(define_d().layers) and d_model.optimizer
    one, other = images_for(d_model), 5 * images_for(d_model, seed=1)
    other[2] = one[2]
    scores, others = (d_model(x, training=True).numpy() for x in (one, other))
    np.testing.assert_allclose(scores[2], others[2], rtol=1e-4, atol=1e-5)
    assert np.abs(scores - others)[[0, 1, 3]].min() > 1e-3


MEASURES = {"ebgan": np.square, "began": np.abs}
FEW_ENERGIES = {
    ("mnist quick", "ebgan"),
    ("mnist quick", "began"),
    ("celeba dense", "ebgan"),
}


@pytest.mark.parametrize(
    "folder, objective",
    [x if x in FEW_ENERGIES else slow(*x) for x in product(FOLDERS, MEASURES)],
)  # fmt: skip
def test_an_energy_is_the_mean_error_of_the_copy(folder, objective):
    define_g, define_d = FOLDERS[folder]
    d_model = heads.head_for(objective, define_d(), define_g)
    x = images_for(d_model)
    code = keras.Model(d_model.input, d_model.get_layer("code").output)(x)
    assert code.shape == (4, 64)
    (decoder,) = (part for part in d_model.layers if isinstance(part, keras.Model))
    errors = MEASURES[objective](decoder(code).numpy() - x)
    energies = d_model.predict(x, verbose=0)
    expected = errors.reshape(4, -1).mean(axis=1, keepdims=True)
    np.testing.assert_allclose(energies, expected, rtol=1e-4)
    assert energies.shape == (4, 1) and energies.min() >= 0
    assert "BatchNormalization" not in kinds(d_model)


def test_the_blocks_of_a_decoder_normalize_each_image_alone():
    """A residual block is a model in the model, with BatchNormalization in it."""
    define_g = partial(resnet.define_generator, out_shape=(8, 8, 1), n_filters=4)
    assert "BatchNormalization" in kinds(define_g(3))
    define_d = partial(resnet.define_discriminator, (8, 8, 1), n_filters=4)
    d_model = heads.square_energy(define_d(), define_g)
    assert "BatchNormalization" not in kinds(d_model)
    assert d_model.predict(images_for(d_model), verbose=0).shape == (4, 1)


@pytest.mark.parametrize(
    "folder", [x if x == "mnist quick" else slow(x) for x in FOLDERS]
)
def test_a_saved_energy_gives_the_same_energies(folder):
    define_g, define_d = FOLDERS[folder]
    d_model = heads.absolute_energy(define_d(), define_g)
    save_models(Path(), 1, define_g(3), d_model)
    load = load_model if folder == "points" else load_discriminator
    loaded = load(Path("discriminator_model_001.h5"))
    energies = [d.predict(images_for(d_model), verbose=0) for d in (d_model, loaded)]
    assert np.array_equal(*energies)


@pytest.mark.slow
def test_another_process_can_load_a_saved_energy():
    """What is not Keras's own in it is known there without a training."""
    d_model = heads.square_energy(FOLDERS["points"][1](), FOLDERS["points"][0])
    d_model.save("energy.h5", include_optimizer=False)
    program = "from common.checkpoints import load_model; load_model('energy.h5')"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    answer = subprocess.run([sys.executable, "-c", program], env=environment)
    assert answer.returncode == 0


LABELLED = ["d_loss", "g_loss", "acc_real", "acc_fake", "acc_adv"]
SCORED = ["d_loss", "g_loss", "score_real", "score_fake"]
ENERGIES = ["d_loss", "g_loss", "energy_real", "energy_fake"]
COLUMNS = {
    **dict.fromkeys(("bce", "minimax", "lsgan", "hinge"), LABELLED),
    "wgan": [*SCORED, "score_adv"],
    "wgan-gp": SCORED,
    "ebgan": ENERGIES,
    "began": [*ENERGIES, "k", "convergence"],
    "r3gan": SCORED,
}


@pytest.mark.parametrize(
    "objective, folder",
    [("r3gan", "mnist quick"), ("began", "mnist quick"),
     *(slow(x, "mnist quick") for x in OBJECTIVES if x not in ("r3gan", "began")),
     *(slow(name, "celeba") for name in OBJECTIVES),
     *(slow(name, "cifar10 quick") for name in ("wgan", "wgan-gp", "ebgan"))],
)  # fmt: skip
def test_every_objective_trains_the_models_of_every_folder(objective, folder):
    gan = new_gan(objective, QUICK[folder])
    gan.run_eagerly = True  # to trace the steps takes longer than to make two
    before = weights(gan.d_model), weights(gan.g_model)
    logs = gan.fit(images_for(gan.d_model, 8), batch_size=4, verbose=0).history
    assert set(logs) == set(COLUMNS[objective])
    after = weights(gan.d_model), weights(gan.g_model)
    assert np.isfinite([*logs.values()]).all()
    assert np.isfinite(np.concatenate(after)).all()
    assert all(np.any(w != v) for w, v in zip(before, after, strict=True))


TINY = ["--batch-size", "4", "--steps-per-epoch", "2", "--seed", "5", "--latent-dim", "4"]


def rows(run):
    return list(csv.DictReader((run / "history.csv").open()))


@pytest.mark.slow
@pytest.mark.parametrize("objective", ["hinge", "wgan-gp", "began"])
def test_a_run_logs_the_columns_of_its_objective(objective):
    words = [*TINY, "--data", "digits", "--preset", "quick", "--critic-steps", "1"]
    mnist([*words, "--epochs", "1", "--objective", objective, "--run-dir", "run"])
    (row,) = rows(Path("run"))
    assert sorted(row) == sorted(["epoch", "step", *COLUMNS[objective]])
    assert np.isfinite([float(value) for value in row.values()]).all()
    assert Path("run/loss_curves.png").exists()


@pytest.fixture
def without_pictures(monkeypatch):
    """They take half of the time of a tiny run."""
    monkeypatch.setattr(plots, "save_points", lambda *words: None)
    monkeypatch.setattr(plotting, "draw_run", lambda *words: None)


RESUMED = {
    "ebgan": ["--pretrain-discriminator", "3", "--pull-away", "0.1", "--margin", "0.5"],
    "began": ["--pretrain-discriminator", "1", "--gamma", "0.9"],
}
UPDATES = {"ebgan": 3 + 4, "began": 1 + 4}  # of D


def updates(run):
    """How often D's and G's optimizer have moved their weights."""
    with np.load(run / "state.npz") as state:
        return [state[name] for name in state.files if name.endswith("iteration")]


@pytest.mark.slow
@pytest.mark.parametrize("objective", RESUMED)
def test_resume_goes_on_bit_for_bit(capsys, monkeypatch, without_pictures, objective):
    words = [*TINY, "--objective", objective, *RESUMED[objective]]
    toy([*words, "--epochs", "2", "--save-every", "9", "--run-dir", "whole"])
    toy([*words, "--epochs", "1", "--save-every", "9", "--run-dir", "parts"])
    monkeypatch.setattr(pretraining, "pretrain", None)  # once is enough
    toy(["--resume", "parts", "--epochs", "2"])
    capsys.readouterr()
    whole, parts = Path("whole"), Path("parts")
    assert (whole / "history.csv").read_bytes() == (parts / "history.csv").read_bytes()
    assert len(rows(whole)) == 2
    assert updates(whole) == updates(parts) == [UPDATES[objective], 4]
    for kind in ("generator", "discriminator"):
        path = f"{kind}_model_002.h5"
        one, other = (weights(load_model(run / path)) for run in (whole, parts))
        assert np.array_equal(one, other)
    message = refused(capsys, toy, "--resume", "parts", "--epochs", 3, "--gamma", "0.7")
    gamma = 0.9 if objective == "began" else None
    assert f"--gamma 0.7 (the run's: {gamma})" in message


def test_options_reach_the_training(without_pictures):
    words = ["--objective", "wgan", "--epochs", "1", "--run-dir", "run"]
    toy([*TINY, *words, "--critic-steps", "3", "--learning-rate", "0.5"])
    critic = load_model(Path("run/discriminator_model_001.h5"))
    clip = json.loads(Path("run/options.json").read_text())["options"]["clip"]
    assert np.abs(weights(critic)).max() == np.float32(clip)
    with np.load("run/state.npz") as state:
        rates = [state[name] for name in state.files if name.endswith("learning_rate")]
    assert rates == [0.5, 0.5] and updates(Path("run")) == [2 * 3, 2]
    (row,) = rows(Path("run"))
    assert sorted(row) == sorted(["epoch", "step", *COLUMNS["wgan"]])
    assert np.isfinite([float(value) for value in row.values()]).all()


def test_what_is_typed_goes_before_the_preset_and_that_before_the_objective():
    def options(*words):
        return training_options(["--objective", "wgan", *words], SCRIPT)

    found = options()
    assert (found.learning_rate, found.critic_steps, found.clip) == (5e-5, 5, 0.01)
    found = options("--preset", "quick")
    assert (found.learning_rate, found.critic_steps) == (0.0015, 5)
    found = options("--preset", "quick", "--learning-rate", "0.1", "--clip", "0.3")
    assert (found.learning_rate, found.clip) == (0.1, 0.3)


def test_without_options_an_objective_has_those_of_its_table():
    def found(name):
        words = ["--objective", name]
        options = vars(training_options(words, SCRIPT))
        names = ("clip", "penalty", "margin", "pull_away", "gamma", "critic_steps")
        return {own: options[own] for own in names if own in options}

    one = {"critic_steps": 1}
    assert found("bce") == found("minimax") == found("lsgan") == found("hinge") == one
    assert found("wgan") == {"clip": 0.01, "critic_steps": 5}
    assert found("wgan-gp") == {"penalty": 10, "critic_steps": 5}
    assert found("ebgan") == {"margin": 0.02, "pull_away": 0, **one}
    assert found("began") == {"gamma": 1, **one}
    assert found("r3gan") == {"penalty": 1, **one}


def test_a_preset_s_penalty_goes_with_its_objective_only():
    presets = {"best": {"objective": "r3gan", "penalty": 0.1, "epochs": 3}}
    script = replace(SCRIPT, presets=presets)

    def found(*words):
        words = ["--preset", "best", *words]
        options = vars(training_options(words, script))
        return options["objective"], options.get("penalty"), options["epochs"]

    assert found() == found("--objective", "r3gan") == ("r3gan", 0.1, 3)
    assert found("--penalty", "2") == ("r3gan", 2, 3)
    assert found("--objective", "wgan-gp") == ("wgan-gp", 10, 3)
    assert found("--objective", "hinge") == ("hinge", None, 3)


BAD = {
    "gamma with bce": (["--gamma", "0.5"], "began, not to bce"),
    "clip with hinge": (["--clip", "0.1", "--objective", "hinge"], "wgan, not to hinge"),
    "penalty with wgan": (
        ["--penalty", "1", "--objective", "wgan"],
        "--penalty belongs to --objective wgan-gp and r3gan, not to wgan",
    ),
    "margin with began": (["--margin", "1", "--objective", "began"], "ebgan, not to"),
    "pull-away with r3gan": (["--pull-away", "1", "--objective", "r3gan"], "ebgan, not"),
    "pretraining with lsgan": (
        ["--pretrain-discriminator", "9", "--objective", "lsgan"],
        "--pretrain-discriminator belongs to --objective ebgan and began, not to lsgan",
    ),
    "no critic steps": (["--critic-steps", "0"], "at least 1"),
    "half a critic step": (["--critic-steps", "1.5"], "at least 1"),
    "gamma above 1": (["--gamma", "1.5", "--objective", "began"], "at most 1"),
    "gamma 0": (["--gamma", "0", "--objective", "began"], "above 0"),
    "clip below 0": (["--clip", "-1", "--objective", "wgan"], "above 0"),
    "infinite penalty": (["--penalty", "inf", "--objective", "r3gan"], "finite"),
    "no such objective": (["--objective", "gan"], "invalid choice"),
    "too few images for the critic": (
        ["--data", "digits", "--batch-size", "1000", "--objective", "wgan"],
        "2500 real",
    ),
    **{
        f"separate batches with {name}": (
            ["--d-batches", "separate", "--objective", name],
            f"--d-batches separate: the loss of --objective {name}",
        )
        for name in ("wgan-gp", "ebgan", "began", "r3gan")
    },
}


@pytest.mark.parametrize("case", BAD)
def test_an_option_that_the_objective_has_not_is_refused_in_one_sentence(capsys, case):
    words, expected = BAD[case]
    assert expected in refused(capsys, mnist, "--dry-run", *words)
    assert not Path("runs").exists()


@pytest.mark.slow
def test_separate_halves_are_logged_each_for_itself(without_pictures):
    words = ["--objective", "wgan", "--d-batches", "separate", "--critic-steps", "1"]
    toy([*TINY, *words, "--epochs", "1", "--run-dir", "run"])
    (row,) = rows(Path("run"))
    scores = {"score_real", "score_fake", "score_adv"}
    assert set(row) == {"epoch", "step", "d1", "d2", "g_loss"} | scores
    assert float(row["d1"]) == pytest.approx(-float(row["score_real"]), abs=1e-4)
