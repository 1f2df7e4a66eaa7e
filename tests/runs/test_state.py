"""A saved state holds everything, is written as a whole, and the last two are kept."""

import random
from pathlib import Path

import numpy as np
import pytest
from small_gans import quick_models, real_images, tutorial_models, weights

from common.basics.errors import UserError
from common.fitting.build import make_gan
from common.fitting.resume import keep_rows_until, keep_scores_until
from common.gan import GAN
from common.layers.augment import with_augmentation
from common.runs.layout import STATE
from common.runs.state import (
    find_state,
    load_state,
    random_states,
    save_state,
    state_variables,
)
from mnist_gan.define_gan import define_gan


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
    assert load_state(resumed, tmp_path) == 1
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


def all_that_draws():
    """A GAN with dropout, augmentation and label noise."""
    g_model, d_model, _ = tutorial_models()
    d_model = with_augmentation(d_model, low=0)
    return make_gan(g_model, d_model, define_gan(g_model, d_model), noise=0.2)


def test_every_part_of_the_state_matters(tmp_path):
    """Leave out one random generator, and the resumed run differs."""
    whole, resumed = all_that_draws(), all_that_draws()
    whole.fit(real_images(4), batch_size=4, verbose=0, shuffle=False)
    save_state(whole, 1, tmp_path)
    mine, found = random_states(resumed), []
    assert len(mine) == 5  # two dropouts, augmentation, label noise, latent vectors
    for left_out in (None, *mine):
        before = None if left_out is None else left_out.numpy()
        load_state(resumed, tmp_path)
        if left_out is not None:
            assert not np.array_equal(before, left_out.numpy())
            left_out.assign(before)
        resumed.fit(real_images(4), batch_size=4, verbose=0, shuffle=False)
        found.append(weights(resumed.d_model))
    assert not any(np.array_equal(found[0], other) for other in found[1:])


def test_wrong_states_are_refused(tmp_path):
    gan = GAN(*tutorial_models())
    with pytest.raises(UserError, match="has no state"):
        load_state(gan, tmp_path)
    save_state(gan, 1, tmp_path)
    with pytest.raises(UserError, match="does not match"):
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
    assert find_state(tmp_path)[1].epoch == 2
    content = (tmp_path / STATE).read_bytes()
    for damage in (content[:-100], content[:1000], b"", b"\0" * len(content)):
        (tmp_path / STATE).write_bytes(damage)
        other = GAN(*quick_models())
        assert load_state(other, tmp_path) == find_state(tmp_path)[1].epoch == 1
        assert np.array_equal(weights(other.g_model), first)
        printed = capsys.readouterr().out
        assert "state.npz is damaged" in printed and "from state_before" in printed
        save_state(gan, 2, tmp_path)  # a damaged state does not become the one before
    (tmp_path / STATE).unlink()  # between the two renamings of a new state
    assert find_state(tmp_path)[1].epoch == 1


@pytest.mark.parametrize("moment", ["writing", "renaming"])
def test_a_state_is_whole_wherever_saving_it_was_broken_off(
    tmp_path, monkeypatch, moment, gan
):
    save_state(gan, 1, tmp_path)

    class Killed(BaseException):
        pass

    def kill(*_, **__):
        raise Killed

    def half_write(file, **arrays):
        file.write(b"half a state")
        kill()

    renamed = Path.replace

    def rename_but_the_last(path, target):
        return kill() if path.name.startswith(".") else renamed(path, target)

    with monkeypatch.context() as change:
        if moment == "writing":
            change.setattr(np, "savez", half_write)
        else:
            change.setattr(Path, "replace", rename_but_the_last)
        with pytest.raises(Killed):
            save_state(gan, 2, tmp_path)
    assert load_state(gan, tmp_path) == 1
    save_state(gan, 3, tmp_path)
    assert load_state(gan, tmp_path) == 3


def test_numpys_and_pythons_generators_go_on_where_they_were(tmp_path, gan):
    np.random.standard_normal()  # which samples two numbers, and stores one
    random.gauss(0, 1)
    save_state(gan, 1, tmp_path)

    def drawn():
        return np.random.standard_normal(3).tolist(), random.gauss(0, 1), random.random()

    expected = drawn()
    np.random.seed(8)
    random.seed(8)
    load_state(gan, tmp_path)
    assert drawn() == expected


def test_rows_stay_as_others_wrote_them(tmp_path):
    """A spreadsheet makes 1.0 of 1; an editor leaves out the last line's end."""
    path = tmp_path / "history.csv"
    head, rows = "epoch,step,d_loss", ["1.0,10.0,0.5", "1,11,0.25"]
    path.write_text("\n".join([head, *rows]))
    keep_rows_until(1, path)
    assert path.read_text() == "\n".join([head, *rows, ""])
    path.write_text("\n".join([head, *rows, "2,1,0.5", "2,2,0.5", "1"]))
    keep_rows_until(1, path)
    assert path.read_text() == "\n".join([head, *rows, ""])
    path.write_text("epoch,st")
    keep_rows_until(0, path)
    assert path.read_text() == ""


def test_scores_of_epochs_that_are_done_again_are_dropped(tmp_path):
    path = tmp_path / "metrics.jsonl"
    kept = [b'{"epoch": 1}', b'{"epoch": null}', b"damaged \xe9", b'{"epoch": 2}']
    for more in ([b'{"epoch": 3}', b'{"epo'], []):
        path.write_bytes(b"\n".join([*kept, *more]))
        keep_scores_until(2, path)
        assert path.read_bytes() == b"\n".join([*kept, b""])
