"""After a failure, training restarts from a state that passed the checks, or stops."""

import csv

import numpy as np
import pytest
from small_training import (
    STEPS,
    Break,
    actions,
    changed,
    new_gan,
    only_seeds,
    train,
    values,
)

from common.fitting import collapse
from common.fitting.restart import initialize
from common.runs.state import find_state


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    """These small models draw different images after 50 steps."""
    monkeypatch.setattr(collapse, "WARM_UP", 2 * STEPS)


def test_stop_ends_training_and_keeps_the_healthy_state(tmp_path, capsys):
    gan = new_gan()
    kept, happened = train(gan, tmp_path, "stop", broken=Break(np.nan, 4))
    assert happened == [("4", "nan", "nan", "stop")] and gan.stop_training
    assert list(kept) == [1, 2, 3] and find_state(tmp_path)[1].epoch == 3
    assert only_seeds(changed(kept[3], values(gan)))
    assert "--resume starts from the state after epoch 3" in capsys.readouterr().out
    kept, happened = train(new_gan(), tmp_path, "stop", resume=True)
    assert list(kept) == [4] and len(happened) == 1


class Once(Break):
    """A Break that acts once for each of its epochs."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if epoch + 1 in self.epochs:
            i = self.epochs.index(epoch + 1)
            self.epochs = self.epochs[:i] + self.epochs[i + 1 :]


def restarts_of(run):
    return find_state(run)[1].health.restarts


@pytest.mark.slow
def test_restart_continues_from_the_last_passed_state_with_other_seeds(tmp_path):
    gan = new_gan()
    kept, happened = train(gan, tmp_path / "a", "restart", 6, broken=Once(np.nan, 4))
    assert (
        actions(happened) == [(3, "nan", "restart")] and restarts_of(tmp_path / "a") == 1
    )
    assert all(np.isfinite(value).all() for value in kept[6])
    with (tmp_path / "a" / "history.csv").open() as file:
        epochs = [int(row["epoch"]) for row in csv.DictReader(file)]
    assert epochs == sorted(epochs) and set(epochs) == set(range(1, 7))

    again, _ = train(new_gan(), tmp_path / "b", "restart", 6, broken=Once(np.nan, 4))
    assert not changed(kept[6], again[6])
    # A run that is stopped after the restart and resumed
    train(new_gan(), tmp_path / "c", "restart", 5, broken=Once(np.nan, 4))
    resumed, happened = train(new_gan(7), tmp_path / "c", "restart", 6, resume=True)
    assert not changed(kept[6], resumed[6])
    assert actions(happened) == [(4, "nan", "restart")]
    never, _ = train(new_gan(), tmp_path / "d", "restart", 6)
    assert not changed(kept[3], never[3]) and not only_seeds(changed(kept[4], never[4]))


def test_without_a_passed_epoch_training_restarts_with_new_weights(tmp_path, capsys):
    gan = new_gan()
    before = [w.numpy() for w in gan.g_model.trainable_weights]
    kept, happened = train(gan, tmp_path / "a", "restart", 2, 4, broken=Once(np.nan, 1))
    assert actions(happened) == [(1, "nan", "restart")] and list(kept) == [1, 2]
    assert "new initial weights, seed 2" in capsys.readouterr().out
    other = new_gan(2)
    initialize(other, 2)
    after = [w.numpy() for w in other.g_model.trainable_weights]
    assert not np.array_equal(before[0], after[0])
    assert np.std(after[0]) == pytest.approx(np.std(before[0]), rel=0.2)
    assert float(other.gan_model.optimizer.learning_rate) == pytest.approx(0.002)
    trained, _ = train(other, tmp_path / "b", "warn", 2, 4)
    assert not changed(kept[2], trained[2])  # as of a GAN with these initial weights


@pytest.mark.slow
def test_an_early_state_that_fails_again_is_left(tmp_path, capsys):
    """The second restart does not return to the state of the first."""
    _, happened = train(new_gan(), tmp_path, "restart", 5, broken=Once(np.nan, 4, 4))
    assert actions(happened) == [(4, "nan", "restart")] * 2
    assert restarts_of(tmp_path) == 2
    printed = capsys.readouterr().out
    assert "the state after epoch 3, seed 2" in printed and "weights, seed 3" in printed


@pytest.mark.slow
def test_after_five_restarts_it_stops(tmp_path):
    always = Break(np.nan, *range(1, 9))
    kept, happened = train(new_gan(), tmp_path, "restart", 8, 2, broken=always)
    assert kept == {} and restarts_of(tmp_path) == 6
    assert [row[3] for row in happened] == ["restart"] * 5 + ["stop"]
