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

from common.fitting import collapse, restart
from common.fitting.restart import initialize
from common.runs import state
from common.runs.layout import GENERATOR, PLOT
from common.runs.state import find_state, last_passed_state, save_state

STATES = ["state.npz", "state_before.npz"]


@pytest.fixture(autouse=True)
def short_warm_up(monkeypatch):
    """These small models draw different images after 50 steps."""
    monkeypatch.setattr(collapse, "WARM_UP", 2 * STEPS)


def test_stop_ends_training_and_keeps_the_healthy_state(tmp_path, capsys):
    gan = new_gan()
    kept, happened = train(gan, tmp_path, "stop", broken=Break(np.nan, 4))
    assert happened == [("4", "nan", "nan", "stop")] and gan.stop_training
    assert list(kept) == [1, 2, 3] and find_state(tmp_path)[1].epoch == 3
    assert changed(kept[3], values(gan)) == []
    assert "--resume continues after epoch 3" in capsys.readouterr().out
    kept, happened = train(new_gan(), tmp_path, "stop", resume=True)
    assert list(kept) == [4] and happened == []  # not of a failure that was undone


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
        actions(happened) == [(4, "nan", "restart")] and restarts_of(tmp_path / "a") == 1
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
@pytest.mark.parametrize("moment", ["write_events", "save_state", "truncate_tables"])
@pytest.mark.parametrize("after", [False, True])
def test_a_restart_that_is_killed_is_resumed(tmp_path, monkeypatch, moment, after):
    """A second failure, too, ends as in a run that was not killed."""
    kept, happened = train(
        new_gan(), tmp_path / "a", "restart", 5, broken=Once(np.nan, 4, 4)
    )
    step, run = getattr(restart, moment), tmp_path / "b"

    def kill(*arguments):
        if after:
            step(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as change, pytest.raises(KeyboardInterrupt):
        change.setattr(restart, moment, kill)
        train(new_gan(), run, "restart", 5, broken=Once(np.nan, 4))
    failures = 1 if find_state(run)[1].health.restarts else 2  # or the first again
    broken = Once(np.nan, *[4] * failures)
    resumed, again = train(new_gan(7), run, "restart", 5, resume=True, broken=broken)
    assert not changed(kept[5], resumed[5]) and again == happened


def test_a_state_that_cannot_be_read_now_is_not_given_up(tmp_path, monkeypatch):
    gan = new_gan()
    gan.health = state.Health(passed=1)
    save_state(gan, 7, tmp_path)
    save_state(gan, 8, tmp_path)
    with monkeypatch.context() as change, pytest.raises(MemoryError):
        change.setattr(state, "read_state", lambda path: [1] * 2**62)
        last_passed_state(tmp_path)
    assert last_passed_state(tmp_path)[1].epoch == 8
    (tmp_path / "state.npz").write_bytes(b"damaged")
    assert last_passed_state(tmp_path)[1].epoch == 7


def test_models_of_failed_epochs_are_removed(tmp_path):
    for epoch in (1, 2):
        (tmp_path / GENERATOR.format(epoch)).touch()
        (tmp_path / PLOT.format(epoch)).touch()
    gan = new_gan()
    gan.health = state.Health()
    save_state(gan, 0, tmp_path)
    failure = collapse.TrainingError(3, {"nan": np.nan}, "restart")
    assert restart.restart(gan, tmp_path, failure, 1, lambda: None) == 0
    assert sorted(x.name for x in tmp_path.iterdir()) == ["events.csv", *STATES]


@pytest.mark.slow
def test_after_five_restarts_it_stops(tmp_path):
    always = Break(np.nan, *range(1, 9))
    kept, happened = train(new_gan(), tmp_path, "restart", 8, 2, broken=always)
    assert kept == {} and restarts_of(tmp_path) == 5
    assert [row[3] for row in happened] == ["restart"] * 5 + ["stop"]
