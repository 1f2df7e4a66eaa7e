"""Saved models make the same images; other files are an error."""

import keras
import numpy as np
import pytest
from small_gans import quick_models, tutorial_models

from common import checkpoints
from common.basics.errors import UserError
from common.sampling import generate_images


@pytest.mark.parametrize("models", [tutorial_models, quick_models])
def test_saved_generator_makes_the_same_images(tmp_path, models):
    g_model, d_model, _ = models()
    checkpoints.save_models(tmp_path, 7, g_model, d_model)
    z = np.random.default_rng(0).standard_normal((5, 10)).astype("float32")
    path = tmp_path / "generator_model_007.h5"
    loaded, latent_dim, value_range = checkpoints.load_generator(path)
    assert (latent_dim, value_range) == (10, (0, 1))
    before, after = generate_images(g_model, z), generate_images(loaded, z)
    assert np.array_equal(before, after)
    again = checkpoints.load_discriminator(tmp_path / "discriminator_model_007.h5")
    outputs = [d.predict(before, verbose=0) for d in (d_model, again)]
    assert np.array_equal(*outputs)
    assert sorted(p.name for p in tmp_path.iterdir()) == [path_d.name for path_d in (
        tmp_path / "discriminator_model_007.h5", path)]  # fmt: skip


def test_any_generator_is_recognised(tmp_path):
    """Colour, another size, tanh as a separate layer, the .keras format."""
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


def test_a_model_that_fails_with_any_number_is_an_error(tmp_path):
    layers = [keras.layers.Embedding(1, 4), keras.layers.Flatten()]
    layers += [keras.layers.Dense(64), keras.layers.Reshape((8, 8, 1))]
    path = tmp_path / "no latent vectors.h5"
    keras.Sequential([keras.Input((6,)), *layers]).save(path)
    with pytest.raises(UserError, match="cannot be used"):
        checkpoints.load_generator(path)


def test_files_that_are_no_generator_are_an_error(tmp_path):
    paths = list(wrong_models(tmp_path))
    assert len(paths) == 12
    for path in paths:
        with pytest.raises(UserError, match=path.name):
            checkpoints.load_generator(path)
    with pytest.raises(UserError, match="not a discriminator"):
        checkpoints.load_discriminator(tmp_path / "generator_model_001.h5")
