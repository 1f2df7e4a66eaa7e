"""DiffAugment: the images in D are changed, real and fake alike; gradients pass."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_gans import conditional_models, real_images, weights

from common import checkpoints
from common.fitting.build import make_gan
from common.gan import GAN
from common.layers.augment import POLICY, Augment, with_augmentation
from common.objectives.heads import head_for
from common.runs import state
from mnist_gan import quick

COLOUR, GREY = (16, 24, 3), (28, 28, 1)


def images_of(n, shape=COLOUR, seed=0):
    """In [-1, 1]."""
    return 2 * real_images(n, seed, shape) - 1


def changed(images, *policy, **keywords):
    augment = Augment(policy or POLICY, **keywords)
    return augment(images, training=True).numpy()


def augmented_models(objective="bce"):
    g_model, d_model = quick.define_generator(10), quick.define_discriminator()
    d_model = head_for(objective, d_model, quick.define_generator)
    d_model = with_augmentation(d_model, low=0)
    return g_model, d_model, quick.define_gan(g_model, d_model)


@pytest.mark.parametrize("shape", [COLOUR, GREY])
def test_nothing_is_changed_outside_of_training(shape):
    images = images_of(4, shape)
    augment = Augment()
    assert np.array_equal(augment(images), images)
    assert np.array_equal(augment(images, training=False), images)
    assert not np.array_equal(augment(images, training=True), images)


@pytest.mark.parametrize("change", POLICY)
def test_each_image_is_changed_in_its_own_way(change):
    images = np.repeat(images_of(1), 16, axis=0)
    augment = Augment([change])
    once, twice = (augment(images, training=True).numpy() for _ in range(2))
    for results in (once, twice):
        assert len(np.unique(results.reshape(16, -1), axis=0)) > 8
    assert not np.array_equal(once, twice)


def test_colours_by_hand():
    """Brightness moves the mean by a quarter of the range at most; contrast keeps it."""
    images = images_of(500, (4, 4, 3))
    results = changed(images, "colour")
    shifts = results.mean((1, 2, 3)) - images.mean((1, 2, 3))
    assert 0.48 < np.abs(shifts).max() <= 0.5 and abs(shifts.mean()) < 0.05
    shifts = changed(images, "colour", low=0).mean((1, 2, 3)) - images.mean((1, 2, 3))
    assert 0.23 < np.abs(shifts).max() <= 0.25
    grey, before = results.mean(3), images.mean(3)  # saturation keeps it
    contrast = grey.std((1, 2)) / before.std((1, 2))
    assert 0.5 <= contrast.min() < 0.55 and 1.45 < contrast.max() <= 1.5
    spread = (results - grey[..., None]).std((1, 2, 3)) / contrast
    saturation = spread / (images - before[..., None]).std((1, 2, 3))
    assert saturation.min() < 0.1 and 1.9 < saturation.max() <= 2


def test_shifts_are_whole_and_leave_zeros():
    """A single bright pixel lands within an eighth of the height and of the width."""
    images = np.zeros((500, *COLOUR), "float32")
    images[:, 8, 12] = 1
    results = changed(images, "translation")
    _, rows, columns, _ = np.nonzero(results)
    assert results.sum() == images.sum() and set(np.unique(results)) == {0, 1}
    assert set(rows) == set(range(6, 11)) and set(columns) == set(range(9, 16))
    assert (changed(images + 1, "translation") == 0).any()


def test_cutout_blanks_a_rectangle_of_half_the_size():
    results = changed(np.ones((500, *COLOUR), "float32"), "cutout")
    assert set(np.unique(results)) == {0, 1}
    rows, columns = ((results == 0).any((3, axis)) for axis in (2, 1))
    assert (rows.sum(1).max(), columns.sum(1).max()) == (8, 12)
    assert (rows.sum(1).min(), columns.sum(1).min()) == (4, 6)  # around a corner
    assert (results == 0).any((0, 3)).all()  # it may be anywhere


def test_real_and_fake_are_changed_alike():
    """The same images in both parts of a batch: equal statistics over many samples."""
    half = images_of(8, (16, 16, 3))
    augment = Augment()
    samples = np.stack(
        [augment(np.concatenate([half, half]), training=True) for _ in range(150)]
    )
    real, fake = samples[:, :8], samples[:, 8:]
    assert not np.array_equal(real, fake)
    for statistic in (np.mean, np.std):
        one, other = (statistic(x, axis=(2, 3, 4)).ravel() for x in (real, fake))
        error = np.hypot(one.std(), other.std()) / np.sqrt(len(one))
        assert abs(one.mean() - other.mean()) < 4 * error
        assert np.std(one) == pytest.approx(np.std(other), rel=0.1)


def test_values_stay_near_the_range():
    for low in (-1, 0):
        images = real_images(200, shape=COLOUR) * (1 - low) + low
        results = changed(images, low=low)
        assert results.dtype == np.float32 and np.isfinite(results).all()
        assert np.abs(results).max() < 4


@pytest.mark.parametrize("change", [*POLICY, None])
def test_gradients_go_through(change):
    images = tf.constant(images_of(4))
    augment = Augment([change] if change else POLICY)
    with tf.GradientTape() as tape:
        tape.watch(images)
        loss = tf.reduce_sum(tf.square(augment(images, training=True)))
    gradient = tape.gradient(loss, images).numpy()
    assert np.isfinite(gradient).all()
    assert (gradient != 0).mean((1, 2, 3)).min() > 0.5


def test_g_gets_a_gradient_through_d():
    g_model, d_model, _ = augmented_models()
    z = tf.random.normal((4, 10))
    with tf.GradientTape() as tape:
        outputs = d_model(g_model(z, training=True), training=True)
        loss = -tf.reduce_mean(tf.math.log(outputs))
    for gradient in tape.gradient(loss, g_model.trainable_variables):
        assert np.isfinite(gradient).all() and np.abs(gradient).max() > 0


def test_any_size_of_batch_in_one_graph():
    augment = Augment()

    @tf.function(input_signature=[tf.TensorSpec((None, *COLOUR))])
    def graph(images):
        return augment(images, training=True)

    for n in (1, 5, 8):
        assert graph(images_of(n)).shape == (n, *COLOUR)
    assert not np.array_equal(*(graph(images_of(2)) for _ in range(2)))


def test_d_is_the_same_but_for_its_first_layer():
    plain = quick.define_discriminator()
    layers, before = list(plain.layers), weights(plain)
    d_model = with_augmentation(plain)
    assert isinstance(d_model.layers[0], Augment) and d_model.layers[1:] == layers
    assert np.array_equal(weights(d_model), before)
    assert d_model.layers[-1].units == 1 and d_model.name == "discriminator"
    assert d_model.optimizer is plain.optimizer and d_model.loss == plain.loss
    assert d_model.get_compile_config()["metrics"] == ["accuracy"]
    images = real_images(3)
    assert np.array_equal(d_model(images), plain(images))
    assert not np.array_equal(d_model(images, training=True), plain(images))


def test_a_functional_d():
    inputs = keras.Input(GREY)
    outputs = keras.layers.Dense(1)(keras.layers.Flatten()(inputs))
    plain = keras.Model(inputs, outputs)
    plain.compile("adam", "mse")
    d_model = with_augmentation(plain)
    assert d_model.layers[-1] is plain.layers[-1] and not isinstance(d_model.input, list)
    assert np.array_equal(d_model(real_images(3)), plain(real_images(3)))
    assert not np.array_equal(*(d_model(real_images(3), training=True) for _ in "ab"))


@pytest.mark.parametrize("condition", ["concat", "hadamard", "classify", "dense"])
def test_classes_are_left_alone(tmp_path, condition):
    _, plain, _ = conditional_models(condition)
    d_model = with_augmentation(plain)
    assert [x.name for x in d_model.inputs] == [x.name for x in plain.inputs]
    assert d_model.layers[-1] is plain.layers[-1]
    inputs = [real_images(3), np.array([[1], [2], [3]], "int32")]
    assert np.array_equal(d_model(inputs), plain(inputs))
    blank = [np.zeros((3, *GREY), "float32"), inputs[1]]
    augment = next(x for x in d_model.layers if isinstance(x, Augment))
    augment.policy = ("translation", "cutout")  # which leave a black image as it is
    assert np.allclose(d_model(blank, training=True), plain(blank, training=True))
    augment.policy = POLICY
    assert not np.array_equal(d_model(inputs, training=True), plain(inputs))


@pytest.mark.parametrize("precision", ["float32", "mixed_bfloat16"])
def test_saved_and_loaded(tmp_path, precision):
    keras.config.set_dtype_policy(precision)
    g_model, d_model, _ = augmented_models()
    checkpoints.save_models(tmp_path, 1, g_model, d_model)
    loaded = checkpoints.load_discriminator(tmp_path / "discriminator_model_001.h5")
    first = loaded.layers[0]
    assert isinstance(first, Augment) and first.compute_dtype == "float32"
    assert (first.policy, first.low) == (POLICY, 0)
    images = real_images(3)
    assert np.array_equal(loaded(images), d_model(images))
    assert first(images, training=True).dtype == "float32"


def test_mixed_precision_does_not_round_the_images(monkeypatch):
    keras.config.set_dtype_policy("mixed_bfloat16")
    _, d_model, _ = augmented_models()
    images, seen = real_images(2), []
    monkeypatch.setattr(d_model.layers[0], "colour", lambda x: seen.append(x) or x)
    d_model(images, training=True)
    assert np.array_equal(seen[0], images)


@pytest.mark.slow
def test_training_goes_on_bit_for_bit(tmp_path, objective="wgan-gp"):
    """Random changes are part of the state; second derivatives pass through them."""
    whole = make_gan(*augmented_models(objective), objective=objective)
    data = {"batch_size": 4, "verbose": 0, "shuffle": False}
    whole.fit(real_images(8), **data)
    seed = whole.d_model.layers[0].seed.state
    assert any(v is seed for v in state.state_variables(whole))
    assert seed.numpy()[1] > 0
    state.save_state(whole, 1, tmp_path)
    resumed = make_gan(*augmented_models(objective), objective=objective)
    state.load_state(resumed, tmp_path)
    for gan in (whole, resumed):
        gan.fit(real_images(8, seed=5), **data)
    assert np.array_equal(weights(whole.d_model), weights(resumed.d_model))
    assert np.array_equal(weights(whole.g_model), weights(resumed.g_model))


def test_both_sides_still_learn():
    gan = GAN(*augmented_models())
    before = weights(gan.g_model), weights(gan.d_model)
    logs = gan.fit(real_images(8), batch_size=4, verbose=0).history
    assert np.isfinite(logs["d_loss"] + logs["g_loss"]).all()
    assert not np.array_equal(weights(gan.g_model), before[0])
    assert not np.array_equal(weights(gan.d_model), before[1])
