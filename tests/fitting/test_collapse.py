"""The collapse detector finds failures, is silent in healthy training, and restores."""

import csv
from functools import partial

import keras
import numpy as np
import pytest
from helpers import slow
from sklearn.datasets import load_digits
from small_gans import conditional_models

from common.architectures.blocks import define_gan
from common.data.batches import batches_of
from common.fitting import callbacks, collapse
from common.fitting import resume as resuming
from common.fitting.build import make_gan
from common.fitting.collapse import (
    CollapseDetector,
    count_classes,
    find_failures,
    mean_pairwise_distance,
)
from common.layers.augment import with_augmentation
from common.objectives.heads import head_for
from common.runs.state import find_state, save_state, state_variables

STEPS = 50
LN2 = 0.693


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    """These small models draw different images after 50 steps."""
    monkeypatch.setattr(collapse, "WARM_UP", 2 * STEPS)


def digits():
    """Float32 (1797, 8, 8, 1) in [0, 1]."""
    return (load_digits().images / 16).astype("float32")[..., None]


def define_generator(latent_dim, listens):
    """Return a G of z times `listens`: with 0 it generates only one image."""
    return keras.Sequential(
        [
            keras.layers.Input((latent_dim,)),
            keras.layers.Rescaling(listens),
            keras.layers.Dense(64),
            keras.layers.BatchNormalization(momentum=0.9),
            keras.layers.ReLU(),
            keras.layers.Dense(64, activation="sigmoid"),
            keras.layers.Reshape((8, 8, 1)),
        ],
        name="generator",
    )


def define_discriminator(rate):
    model = keras.Sequential(
        [
            keras.layers.Input((8, 8, 1)),
            keras.layers.Flatten(),
            keras.layers.Dense(64),
            keras.layers.LeakyReLU(0.2),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(1, activation="sigmoid"),
        ],
        name="discriminator",
    )
    adam = keras.optimizers.Adam(rate, beta_1=0.5)
    model.compile(loss="binary_crossentropy", optimizer=adam)
    return model


def new_gan(seed=1, listens=1.0, g_rate=0.002, ema=0.0, objective="bce", **own):
    keras.utils.set_random_seed(seed)
    g_model = define_generator(8, listens)
    define_decoder = partial(define_generator, listens=listens)
    d_model = head_for(objective, define_discriminator(0.002), define_decoder)
    gan_model = define_gan(g_model, d_model)
    gan_model.optimizer.learning_rate = g_rate
    if ema:
        gan_model.optimizer.use_ema, gan_model.optimizer.ema_momentum = True, ema
    return make_gan(g_model, d_model, gan_model, objective=objective, **own)


class Break(keras.callbacks.Callback):
    """Set the first weights of G to `value` when certain epochs end."""

    def __init__(self, value, *epochs):
        super().__init__()
        self.value, self.epochs = value, epochs

    def on_epoch_end(self, epoch, logs=None):
        if epoch + 1 in self.epochs:
            kernel = self.model.g_model.trainable_weights[0]
            kernel.assign(np.full(kernel.shape, self.value))


class Spy(keras.callbacks.Callback):
    """Keeps all variables as they are when an epoch has ended."""

    def __init__(self):
        super().__init__()
        self.kept = {}  # epoch -> list of arrays

    def on_epoch_end(self, epoch, logs=None):
        self.kept[epoch + 1] = values(self.model)


def values(gan):
    return [np.array(variable.numpy()) for variable in state_variables(gan)]


def changed(one, other):
    """The arrays of `other` that differ from those of `one`."""
    both = zip(one, other, strict=True)
    return [now for then, now in both if not np.array_equal(then, now, equal_nan=True)]


def only_seeds(arrays):
    return all(array.shape == (2,) and array.dtype.kind in "iu" for array in arrays)


def train(gan, run, on_collapse="warn", epochs=4, steps=STEPS, seed=1, resume=False,
         broken=None):  # fmt: skip
    """Train with the detector; return all variables after each epoch, and the events."""
    run.mkdir(exist_ok=True)
    dataset, spy = digits(), Spy()
    done = resuming.start(gan, run, resume)
    history = callbacks.History(run)
    save = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: save_state(gan, epoch + 1, run)
    )
    detector = [CollapseDetector(run, dataset, on_collapse, seed)] if on_collapse else []
    gan.fit(
        batches_of(dataset, 16 * gan.critic_steps, seed, start=done * steps),
        epochs=epochs,
        initial_epoch=done,
        steps_per_epoch=steps,
        shuffle=False,
        verbose=0,
        callbacks=[*([broken] if broken else []), history, *detector, save, spy],
    )
    return spy.kept, events(run)


def events(run):
    path = run / "events.csv"
    if not path.exists():
        return []
    with path.open() as file:
        return [tuple(row.values()) for row in csv.DictReader(file)]


def actions(happened):
    return [(int(epoch), what, action) for epoch, what, _, action in happened]


def test_distance_by_hand():
    images = np.array([[[0, 0]], [[3, 4]], [[0, 0]]], "uint8")
    assert mean_pairwise_distance(images) == pytest.approx(10 / 3)
    assert mean_pairwise_distance(np.ones((5, 4, 4, 1), "float32")) == 0


@pytest.mark.parametrize(
    "expected, logs, equilibrium_loss, diversity",
    [
        ([], {"d_loss": 0.6, "g_loss": 0.8}, LN2, 0.9),
        ([], {"d1": 0.02, "d2": 0.1, "g_loss": 7.0}, LN2, 0.2),
        (["d_loss"], {"d1": 0.01, "d2": 0.001, "g_loss": 5.0}, LN2, 0.9),
        (["d_loss", "g_loss"], {"d_loss": 1e-4, "g_loss": 12.0}, LN2, 0.9),
        ([], {"d_loss": 0.0, "g_loss": 99.0}, None, None),
        ([], {"d_loss": -3.0, "g_loss": -99.0}, None, 0.5),
        ([], {"d_loss": 0.6, "g_loss": -0.6}, LN2, 1.2),
        (["mode_collapse"], {"d_loss": -3.0, "g_loss": 99.0}, None, 0.05),
        (["nan"], {"d_loss": float("nan"), "g_loss": 1.0}, LN2, None),
        (["nan"], {"d_loss": 1.0, "g_loss": float("inf")}, None, None),
    ],
)
def test_failures_of_an_epoch(expected, logs, equilibrium_loss, diversity):
    found = find_failures(logs, equilibrium_loss, diversity)
    assert list(found) == expected
    for what, value in found.items():
        text = collapse.TEXTS[what].format(value=value, equilibrium_loss=equilibrium_loss)
        assert "usually helps" in text and "{" not in text
    weights = {"weights": float("nan")}
    assert list(find_failures({**logs, **weights})) == ["nan"]


def test_the_classes_that_d_names_are_counted():
    """The auxiliary classifier of D takes only the image."""
    _, d_model, _ = conditional_models("classify")
    guess = d_model.get_layer("guess")
    images = np.random.default_rng(0).random((64, 28, 28, 1)).astype("float32")
    guess.bias.assign(np.arange(10))
    guess.kernel.assign(np.zeros(guess.kernel.shape))
    assert count_classes(d_model, images) == 1  # the last, for every image
    features = d_model.get_layer("features").predict(images, verbose=0)
    kernel = np.random.default_rng(1).standard_normal(guess.kernel.shape)
    guess.kernel.assign(1e4 * kernel)
    guess.bias.assign(-1e4 * (features @ kernel).mean(0))
    named = (features @ kernel - (features @ kernel).mean(0)).argmax(1)
    assert count_classes(d_model, images) == len(set(named)) > 5
    assert count_classes(with_augmentation(d_model), images) == len(set(named))
    for condition in ("concat", "hadamard"):
        assert count_classes(conditional_models(condition)[1], images) is None
    found = find_failures({"g_loss": 1.0}, None, 0.9, class_coverage=0.4)
    assert found == {"classes": 0.4}
    assert "40%" in collapse.TEXTS["classes"].format(value=0.4)
    assert find_failures({"g_loss": 1.0}, None, 0.9, class_coverage=0.5) == {}


def test_one_image_for_each_class_is_reported(tmp_path, monkeypatch):
    """Diversity is measured within the classes."""
    detector = CollapseDetector(
        tmp_path, np.random.default_rng(0).random((64, 28, 28, 1))
    )
    models = conditional_models("concat")
    detector.set_model(make_gan(*models))
    detector.set_params({"steps": collapse.WARM_UP})
    logs = {"d_loss": 0.7, "g_loss": 0.7}
    generated = np.random.default_rng(1).random((10, 64, 28, 28, 1))
    for picks, expected in ((np.arange(64), []), (0, ["mode_collapse"])):

        def generated_by(g_model, z, labels, picks=picks):
            return generated[labels, picks]

        monkeypatch.setattr(collapse, "generate_images", generated_by)
        assert list(detector.check(1, logs)) == expected


@pytest.mark.parametrize("seed", [1, slow(2), slow(3)])
def test_silent_on_healthy_training(tmp_path, capsys, seed):
    kept, happened = train(new_gan(seed), tmp_path, epochs=5, seed=seed)
    assert len(kept) == 5 and happened == []
    assert capsys.readouterr().out == ""


def test_a_g_that_draws_one_image_is_told_once(tmp_path, capsys):
    _, happened = train(new_gan(listens=0.0), tmp_path)
    first, *others = actions(happened)
    assert first == (2, "mode_collapse", "warn")  # not during the warm-up
    assert float(happened[0][2]) < 0.01
    assert "mode_collapse" not in [what for _, what, _ in others]  # later D's loss fails
    printed = capsys.readouterr().out
    assert printed.count("nearly identical") == 1 and "after epoch 2, warn" in printed


@pytest.mark.slow
def test_a_d_that_is_sure_is_told(tmp_path):
    gan = new_gan(g_rate=0.0)
    gan.d_model.optimizer.learning_rate = 0.01
    _, happened = train(gan, tmp_path)
    assert actions(happened)[0] == (2, "d_loss", "warn")
    assert 0 <= float(happened[0][2]) < 0.02 * LN2
    assert [row[1] for row in happened[1:]] == ["g_loss"]  # a few epochs later


@pytest.mark.slow
def test_it_says_so_when_all_is_well_again(tmp_path, capsys):
    _, happened = train(new_gan(), tmp_path, epochs=5, broken=Break(0.0, 2, 3))
    assert actions(happened)[:1] == [(2, "mode_collapse", "warn")]
    assert actions(happened)[1:] == [(4, "mode_collapse", "recovered")]
    assert "recovered: mode_collapse" in capsys.readouterr().out


def test_nan_is_told_before_the_end_of_the_warm_up(tmp_path):
    _, happened = train(new_gan(), tmp_path, steps=2, broken=Break(np.nan, 1))
    assert happened == [("1", "nan", "nan", "warn")]


def test_stop_ends_training_and_keeps_the_healthy_state(tmp_path, capsys):
    kept, happened = train(new_gan(), tmp_path, "stop", steps=4, broken=Break(np.nan, 2))
    assert happened == [("2", "nan", "nan", "stop")]
    assert list(kept) == [1, 2] and find_state(tmp_path)[1].epoch == 2
    assert only_seeds(changed(kept[1], kept[2]))
    assert (
        "restored the state of the last epoch without a failure"
        in capsys.readouterr().out
    )
    kept, happened = train(new_gan(), tmp_path, "stop", steps=4, resume=True)
    assert list(kept) == [3, 4] and len(happened) == 1


@pytest.mark.slow
def test_restart_goes_on_from_the_healthy_state_with_other_seeds(tmp_path):
    broken = Break(np.nan, 2)
    kept, happened = train(new_gan(), tmp_path / "a", "restart", steps=4, broken=broken)
    assert actions(happened) == [(2, "nan", "restart")] and list(kept) == [1, 2, 3, 4]
    seeds = changed(kept[1], kept[2])
    assert only_seeds(seeds) and len(seeds) == 2  # D's dropout and the latent vectors
    assert all(np.isfinite(value).all() for value in kept[4])
    assert not only_seeds(changed(kept[2], kept[3]))
    with (tmp_path / "a" / "history.csv").open() as file:
        assert [row["epoch"] for row in csv.DictReader(file)] == ["1", "2", "3", "4"]

    again, _ = train(new_gan(), tmp_path / "b", "restart", steps=4, broken=broken)
    assert not changed(kept[4], again[4])
    train(new_gan(), tmp_path / "c", "restart", epochs=2, steps=4, broken=broken)
    resumed, happened = train(new_gan(7), tmp_path / "c", "restart", steps=4, resume=True)
    assert not changed(kept[4], resumed[4])
    assert len(happened) == 1


@pytest.mark.slow
def test_after_three_restarts_it_stops(tmp_path):
    always = Break(np.nan, *range(1, 9))
    train(new_gan(), tmp_path, "restart", epochs=2, steps=2, broken=always)
    kept, happened = train(
        new_gan(), tmp_path, "restart", epochs=8, steps=2, resume=True, broken=always
    )
    assert list(kept) == [3, 4]
    assert [row[3] for row in happened] == ["restart"] * 3 + ["stop"]


@pytest.mark.slow
def test_watching_changes_nothing(tmp_path, monkeypatch):
    """Bit for bit, with EMA, and also if it reports a failure."""
    monkeypatch.setattr(collapse, "WARM_UP", 0)
    detected, happened = train(new_gan(listens=0.0, ema=0.9), tmp_path / "a", steps=3)
    alone, _ = train(new_gan(listens=0.0, ema=0.9), tmp_path / "b", None, steps=3)
    assert actions(happened) == [(1, "mode_collapse", "warn")]
    assert not changed(detected[4], alone[4])
    rows = [(tmp_path / run / "history.csv").read_text() for run in "ab"]
    assert rows[0] == rows[1]


@pytest.mark.parametrize(
    "own",
    [
        slow({"d_batches": "separate"}),
        slow({"objective": "wgan-gp"}),
        slow({"objective": "ebgan"}),
    ],
)
def test_other_logs_are_understood(tmp_path, monkeypatch, own):
    """Of d1 and d2, of scores, of energies."""
    monkeypatch.setattr(collapse, "WARM_UP", 4)
    kept, happened = train(new_gan(**own), tmp_path, epochs=2, steps=2)
    assert len(kept) == 2 and happened == []
