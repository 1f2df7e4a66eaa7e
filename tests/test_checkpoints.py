"""Saved models make the same images; a saved state holds everything."""

import keras
import numpy as np
import pytest
from test_gan import quick_models, real_images, tutorial_models, weights

from common import checkpoints
from common.errors import UserError
from common.gan import GAN
from common.sampling import generate_images


@pytest.mark.parametrize("models", [tutorial_models, quick_models])
def test_saved_generator_makes_the_same_images(tmp_path, models):
    g_model, d_model, _ = models()
    checkpoints.save_models(tmp_path, 7, g_model, d_model)
    points = np.random.default_rng(0).standard_normal((5, 10)).astype("float32")
    path = tmp_path / "generator_model_007.h5"
    loaded, latent_dim, value_range = checkpoints.load_generator(path)
    assert (latent_dim, value_range) == (10, (0, 1))
    before, after = generate_images(g_model, points), generate_images(loaded, points)
    assert np.array_equal(before, after)
    again = checkpoints.load_discriminator(tmp_path / "discriminator_model_007.h5")
    judged = [d.predict(before, verbose=0) for d in (d_model, again)]
    assert np.array_equal(*judged)
    assert sorted(p.name for p in tmp_path.iterdir()) == [path_d.name for path_d in (
        tmp_path / "discriminator_model_007.h5", path)]  # fmt: skip


def test_any_generator_is_recognised(tmp_path):
    """Colour, another size, tanh in a layer of its own, the .keras format."""
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((6,)),
            layers.Dense(8 * 8 * 3),
            layers.Reshape((8, 8, 3)),
            layers.Activation("tanh"),
        ]
    )
    model.save(tmp_path / "mine.keras")
    _, latent_dim, value_range = checkpoints.load_generator(tmp_path / "mine.keras")
    assert (latent_dim, value_range) == (6, (-1, 1))


def trained(models, steps=3):
    gan = GAN(*models())
    gan.fit(real_images(4 * steps), batch_size=4, verbose=0, shuffle=False)
    return gan


@pytest.mark.parametrize("models", [tutorial_models, quick_models])
def test_training_goes_on_bit_for_bit(tmp_path, models):
    whole = trained(models)
    checkpoints.save_state(whole, 1, tmp_path)
    resumed = GAN(*models())
    assert checkpoints.load_state(resumed, tmp_path) == 1
    for gan in (whole, resumed):
        gan.fit(real_images(12, seed=5), batch_size=4, verbose=0, shuffle=False)
    for one, other in zip(
        checkpoints.state_variables(whole),
        checkpoints.state_variables(resumed),
        strict=True,
    ):
        assert np.array_equal(one.numpy(), other.numpy()), one.path
    with whole.averaged_generator(), resumed.averaged_generator():
        assert np.array_equal(weights(whole.g_model), weights(resumed.g_model))


def test_every_part_of_the_state_matters(tmp_path):
    """Leave out one random generator, and the run that goes on is another one."""
    whole = trained(tutorial_models)
    checkpoints.save_state(whole, 1, tmp_path)
    seeds = [v for v in whole.variables if "seed_generator" in v.path]
    assert len(seeds) == 3  # D's two dropouts and the latent points
    found = []
    for left_out in (None, 0, 1, 2):
        resumed = GAN(*tutorial_models())
        checkpoints.load_state(resumed, tmp_path)
        mine = [v for v in resumed.variables if "seed_generator" in v.path]
        if left_out is not None:
            mine[left_out].assign([1, 2])
        resumed.fit(real_images(4), batch_size=4, verbose=0, shuffle=False)
        found.append(weights(resumed.d_model))
    assert not any(np.array_equal(found[0], other) for other in found[1:])


def test_wrong_states_are_refused(tmp_path):
    gan = GAN(*tutorial_models())
    with pytest.raises(UserError, match="has no state"):
        checkpoints.load_state(gan, tmp_path)
    checkpoints.save_state(gan, 1, tmp_path)
    with pytest.raises(UserError, match="other models"):
        checkpoints.load_state(GAN(*quick_models()), tmp_path)
    path = tmp_path / checkpoints.STATE
    path.write_bytes(path.read_bytes()[:-5000])
    with pytest.raises(UserError, match="damaged"):
        checkpoints.load_state(gan, tmp_path)


def wrong_models(folder):
    g_model, d_model, _ = tutorial_models()
    checkpoints.save_models(folder, 1, g_model, d_model)
    content = (folder / "generator_model_001.h5").read_bytes()
    for share in (0.0001, 0.5, 0.99):
        path = folder / f"cut off at {share}.h5"
        path.write_bytes(content[: int(len(content) * share)])
        yield path
    (folder / "empty.h5").write_bytes(b"")
    (folder / "text.h5").write_text("hello")
    (folder / "zip.keras").write_bytes(b"PK\x03\x04 and nothing that follows")
    np.savez(folder / "archive.npz", a=1)
    yield from (folder / name for name in ("empty.h5", "text.h5", "zip.keras"))
    yield from (folder / "archive.npz", folder / "missing.h5", folder)
    yield folder / "discriminator_model_001.h5"
    inputs = [keras.Input((3,)), keras.Input((4,))]
    joined = keras.layers.Concatenate()(inputs)
    keras.Model(inputs, joined).save(folder / "two inputs.keras")
    keras.Sequential([keras.layers.Dense(3)]).save(folder / "unbuilt.keras")
    yield from (folder / "two inputs.keras", folder / "unbuilt.keras")


def test_files_that_are_no_generator_are_refused(tmp_path):
    paths = list(wrong_models(tmp_path))
    assert len(paths) == 12
    for path in paths:
        with pytest.raises(UserError, match=path.name):
            checkpoints.load_generator(path)
    with pytest.raises(UserError, match="not a discriminator"):
        checkpoints.load_discriminator(tmp_path / "generator_model_001.h5")
