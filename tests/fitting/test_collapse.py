"""The collapse detector finds failures, and is silent in healthy training."""

import numpy as np
import pytest
from helpers import slow
from small_gans import conditional_models
from small_training import STEPS, Break, actions, changed, new_gan, train

from common.fitting import collapse
from common.fitting.build import make_gan
from common.fitting.collapse import (
    CollapseDetector,
    count_classes,
    find_failures,
    mean_pairwise_distance,
)
from common.layers.augment import with_augmentation

LN2 = 0.693


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    """These small models draw different images after 50 steps."""
    monkeypatch.setattr(collapse, "WARM_UP", 2 * STEPS)


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


def detector_of(gan, tmp_path, on_collapse="warn"):
    """Return a detector at the start of a training on random images."""
    images = np.random.default_rng(0).random((64, *gan.g_model.output_shape[1:]))
    detector = CollapseDetector(tmp_path, images, on_collapse)
    detector.set_model(gan)
    detector.set_params({"steps": 10_000})
    detector.on_train_begin()
    detector.on_epoch_begin(0)
    return detector


def test_one_image_for_each_class_is_reported(tmp_path, monkeypatch):
    """Diversity is measured within the classes."""
    detector = detector_of(make_gan(*conditional_models("concat")), tmp_path)
    generated = np.random.default_rng(1).random((10, 64, 28, 28, 1))
    for picks, collapsed in ((np.arange(64), False), (0, True)):

        def outputs_of(g_model, inputs, picks=picks):
            return generated[np.ravel(inputs[1]), picks]

        monkeypatch.setattr(collapse, "outputs_of", outputs_of)
        assert (detector.generate()[1] < collapse.MIN_DIVERSITY) == collapsed


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
    assert printed.count("nearly identical") == 1 and "in epoch 2, warn" in printed


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


def test_a_long_collapse_is_found_within_an_epoch(tmp_path, monkeypatch):
    """Identical images, which D classifies as fake, for MAX_FAILING_STEPS."""
    detector = detector_of(new_gan(listens=0.0), tmp_path, "restart")
    n = collapse.MAX_FAILING_STEPS // collapse.CHECK_EVERY
    answers = [True] * 5 + [False] + [True] * n  # the first 250 steps are exempt
    with monkeypatch.context() as change:
        pop = lambda images: answers.pop(0)  # noqa: E731
        change.setattr(detector, "are_classified_as_fake", pop)
        with pytest.raises(collapse.TrainingError, match="mode_collapse"):
            for batch in range(10_000):
                detector.on_train_batch_end(batch, {"d_loss": 0.1, "g_loss": 3.0})
    assert batch + 1 == (6 + n) * collapse.CHECK_EVERY and answers == []
    low, high = np.full((64, 1), 0.4), np.full((64, 1), 0.4)
    high[5] = 0.6
    for outputs, expected in ((low, True), (high, False)):
        monkeypatch.setattr(collapse, "outputs_of", lambda *_, x=outputs: x)
        assert detector.are_classified_as_fake(None) == expected


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
