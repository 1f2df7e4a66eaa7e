"""A saved state holds everything, is written as a whole, and the last two are kept."""

import random
from pathlib import Path

import numpy as np
import pytest
from test_gan import quick_models, real_images, tutorial_models, weights

from common.errors import UserError
from common.gan import GAN
from common.resuming import keep_scores_until
from common.state import (
    BEGINNING,
    STATE,
    WITHIN,
    finished_epochs,
    load_state,
    save_state,
    state_variables,
)


def trained(models, steps=3):
    gan = GAN(*models())
    gan.fit(real_images(4 * steps), batch_size=4, verbose=0, shuffle=False)
    return gan


@pytest.fixture(scope="module")
def gan():
    """One whose running means exist; what it has learned does not matter."""
    return trained(quick_models, steps=1)


def test_training_goes_on_bit_for_bit(tmp_path):
    whole = trained(quick_models)
    save_state(whole, 1, tmp_path)
    resumed = GAN(*quick_models())
    assert load_state(resumed, tmp_path).epoch == 1
    for gan in (whole, resumed):
        gan.fit(real_images(12, seed=5), batch_size=4, verbose=0, shuffle=False)
    for one, other in zip(
        state_variables(whole),
        state_variables(resumed),
        strict=True,
    ):
        assert np.array_equal(one.numpy(), other.numpy()), one.path
    with whole.averaged_generator(), resumed.averaged_generator():
        assert np.array_equal(weights(whole.g_model), weights(resumed.g_model))


def test_every_part_of_the_state_matters(tmp_path):
    """Leave out one random generator, and the run that goes on is another one."""
    whole = trained(tutorial_models)
    save_state(whole, 1, tmp_path)
    seeds = [v for v in whole.variables if "seed_generator" in v.path]
    assert len(seeds) == 3  # D's two dropouts and the latent points
    resumed, found = GAN(*tutorial_models()), []
    mine = [v for v in resumed.variables if "seed_generator" in v.path]
    for left_out in (None, 0, 1, 2):
        load_state(resumed, tmp_path)
        if left_out is not None:
            mine[left_out].assign([1, 2])
        resumed.fit(real_images(4), batch_size=4, verbose=0, shuffle=False)
        found.append(weights(resumed.d_model))
    assert not any(np.array_equal(found[0], other) for other in found[1:])


def test_wrong_states_are_refused(tmp_path):
    gan = GAN(*tutorial_models())
    with pytest.raises(UserError, match="has no state"):
        load_state(gan, tmp_path)
    save_state(gan, 1, tmp_path)
    with pytest.raises(UserError, match="other models"):
        load_state(GAN(*quick_models()), tmp_path)
    path = tmp_path / STATE
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(UserError, match="damaged"):
        load_state(gan, tmp_path)


def test_a_damaged_state_gives_way_to_the_one_before(tmp_path, capsys, gan):
    save_state(gan, 1, tmp_path)
    first = weights(gan.g_model)
    for weight in gan.g_model.trainable_weights:
        weight.assign_add(weight + 1)
    save_state(gan, 2, tmp_path)
    assert finished_epochs(tmp_path) == 2
    content = (tmp_path / STATE).read_bytes()
    for damage in (content[:-100], content[:1000], b"", b"\0" * len(content)):
        (tmp_path / STATE).write_bytes(damage)
        other = GAN(*quick_models())
        assert load_state(other, tmp_path).epoch == finished_epochs(tmp_path) == 1
        assert np.array_equal(weights(other.g_model), first)
        said = capsys.readouterr().out
        assert "state.npz is damaged" in said and "going on with state_before" in said
        assert not (tmp_path / STATE).exists()  # it is not to be the one before
    save_state(gan, 2, tmp_path)
    (tmp_path / STATE).unlink()  # between the two renamings of a new state
    assert finished_epochs(tmp_path) == 1


@pytest.mark.parametrize("moment", ["writing", "renaming", "removing"])
def test_a_state_is_whole_wherever_saving_it_was_broken_off(
    tmp_path, monkeypatch, moment, gan
):
    save_state(gan, 1, tmp_path)
    save_state(gan, 1, tmp_path, step=3, row={"step": 0})

    class Killed(BaseException):
        pass

    def kill(*_, **__):
        raise Killed

    def half_write(file, **arrays):
        file.write(b"half a state")
        kill()

    renamed, removed = Path.replace, Path.unlink

    def remove_but_the_last(path, **words):
        return kill() if path.name == WITHIN else removed(path, **words)

    def rename_but_the_last(path, target):
        return kill() if path.name.startswith(".") else renamed(path, target)

    with monkeypatch.context() as change:
        if moment == "writing":
            change.setattr(np, "savez", half_write)
        elif moment == "renaming":
            change.setattr(Path, "replace", rename_but_the_last)
        else:
            change.setattr(Path, "unlink", remove_but_the_last)
        with pytest.raises(Killed):
            save_state(gan, 2, tmp_path)
    assert load_state(gan, tmp_path)[:2] == ((2, 0) if moment == "removing" else (1, 3))
    save_state(gan, 3, tmp_path)
    assert load_state(gan, tmp_path)[:2] == (3, 0)


def test_the_state_within_an_epoch_is_the_last_until_the_epoch_is_whole(tmp_path, gan):
    save_state(gan, 1, tmp_path)
    row = {"step": 5, "g_loss": 1 / 3}
    save_state(gan, 1, tmp_path, step=7, row=row)
    found = load_state(gan, tmp_path)
    assert found[:2] == (1, 7) and found.row == row
    assert len(found.metrics) == len(gan.metrics_variables)
    assert load_state(gan, tmp_path, within=False)[:2] == (1, 0)
    assert finished_epochs(tmp_path) == 1
    save_state(gan, 2, tmp_path)
    assert load_state(gan, tmp_path)[:2] == (2, 0)
    assert not (tmp_path / WITHIN).exists()


def test_numpys_and_pythons_generators_go_on_where_they_were(tmp_path, gan):
    np.random.standard_normal()  # of which it draws two, and keeps one
    random.gauss(0, 1)
    save_state(gan, 1, tmp_path)

    def drawn():
        return np.random.standard_normal(3).tolist(), random.gauss(0, 1), random.random()

    expected = drawn()
    np.random.seed(8)
    random.seed(8)
    load_state(gan, tmp_path)
    assert drawn() == expected


def test_scores_of_epochs_that_are_done_again_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    kept = ['{"epoch": 1}', '{"epoch": null}', "damaged", '{"epoch": 2}']
    path.write_text("\n".join([*kept, '{"epoch": 3}', '{"epo']))
    keep_scores_until(BEGINNING._replace(epoch=2), path)
    assert path.read_text().splitlines() == kept
