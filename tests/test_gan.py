"""The adversarial step: which weights change, how, by how much; what is logged."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import slow
from small_gans import (
    MODELS,
    batch_norm_models,
    both_moved,
    celeba_models,
    cifar10_models,
    dense_models,
    fit_batches,
    moved,
    quick_models,
    real_images,
    traced,
    tutorial_models,
    updates_one_by_one,
    weights,
)

from common.gan import GAN

SEPARATE = [False, True]


class WhoMoves(keras.callbacks.Callback):
    """Largest change of G's and of D's weights in every step of a `fit`."""

    def on_train_begin(self, logs=None):
        self.changes = []
        self.remember()

    def remember(self):
        self.last = weights(self.model.g_model), weights(self.model.d_model)

    def on_train_batch_end(self, batch, logs=None):
        before = self.last
        self.remember()
        pairs = zip(self.last, before, strict=True)
        self.changes.append([np.abs(now - then).max() for now, then in pairs])


def alternating(*fast):
    """All models, with alternating mixed and separate batches; the others are slow."""
    pairs = zip(MODELS, itertools.cycle(SEPARATE))
    return [pair if pair[0] in fast else slow(*pair) for pair in pairs]


@pytest.mark.parametrize(
    "models, separate",
    alternating(tutorial_models, quick_models, batch_norm_models, dense_models),
)
def test_each_step_moves_its_own_side_only(models, separate):
    gan = GAN(*models(), separate)
    for half in (4, 2, 4):
        x_real = real_images(half, shape=gan.d_model.input_shape[1:])
        g, d = both_moved(gan, lambda x=x_real: gan.train_d(x))
        assert g == 0 and d > 0
        g, d = both_moved(gan, lambda x=x_real: gan.train_g(x))
        assert g > 0 and d == 0


@pytest.mark.parametrize("models, separate", alternating(batch_norm_models))
def test_inside_compiled_steps_only_the_own_side_moves(models, separate):
    """The trap of Keras 3 is in traced steps, where a flag is read once for a shape."""
    gan = GAN(*models(), separate)
    train_d, train_g = traced(gan.train_d), traced(gan.train_g)
    for half in (4, 2, 4):
        x_real = tf.constant(real_images(half, shape=gan.d_model.input_shape[1:]))
        g, d = both_moved(gan, lambda x=x_real: train_d(x))
        assert g == 0 and d > 0
        g, d = both_moved(gan, lambda x=x_real: train_g(x))
        assert g > 0 and d == 0


@pytest.mark.parametrize("models", [quick_models, slow(tutorial_models)])
def test_both_move_in_fit_for_every_batch_size(models):
    gan = GAN(*models())
    for half in (4, 2, 5):
        spy = WhoMoves()
        gan.fit(real_images(2 * half), batch_size=half, verbose=0, callbacks=[spy])
        assert len(spy.changes) == 2 and np.min(spy.changes) > 0


def test_each_sides_optimizer_is_ready_before_the_first_step_to_be_saved_or_loaded():
    g_model, d_model, gan_model = tutorial_models()
    assert GAN(g_model, d_model, gan_model).built
    for adam, model in ((d_model.optimizer, d_model), (gan_model.optimizer, g_model)):
        assert adam.built
        assert len(adam.variables) == 2 + 2 * len(model.trainable_variables)


def test_a_flag_set_from_outside_does_not_stop_the_discriminator():
    g_model, d_model, gan_model = tutorial_models()
    gan = GAN(g_model, d_model, gan_model)
    d_model.trainable = False
    assert moved(d_model, lambda: gan.train_d(real_images(4))) > 0


LEARNERS = [
    (tutorial_models, False),
    slow(cifar10_models, True),
]


def mean_p(d_model, images):
    """Return D's mean output in training mode, without changing any variable."""
    return np.mean(
        d_model.stateless_call(
            d_model.trainable_variables,
            d_model.non_trainable_variables,
            images,
            training=True,
        )[0]
    )


@pytest.mark.parametrize("models, separate", LEARNERS)
def test_discriminator_learns_against_a_fixed_generator(models, separate):
    gan = GAN(*models(), separate)
    d_model, shape = gan.d_model, gan.d_model.input_shape[1:]
    x_real, x_fake = real_images(32, 1, shape), gan.generate_fakes(32).numpy()

    def loss():
        return -np.log(mean_p(d_model, x_real)) - np.log(1 - mean_p(d_model, x_fake))

    before = loss()
    train_d = traced(gan.train_d)
    for step in range(50):
        train_d(tf.constant(real_images(8, step + 2, shape)))
    assert loss() < 0.95 * before


@pytest.mark.parametrize("models, separate", LEARNERS)
def test_generator_learns_to_be_called_real_by_a_fixed_discriminator(models, separate):
    gan = GAN(*models(), separate)
    d_model, shape = gan.d_model, gan.d_model.input_shape[1:]
    train_d, train_g = traced(gan.train_d), traced(gan.train_g)
    for step in range(20):  # a D that is trained a little
        train_d(tf.constant(real_images(8, step, shape)))
    before = mean_p(d_model, gan.generate_fakes(32))
    for _ in range(50):
        train_g(tf.constant(real_images(8, shape=gan.d_model.input_shape[1:])))
    assert mean_p(d_model, gan.generate_fakes(32)) > before + 0.03


def without_dropout(models):
    """Return the tutorial's models without dropout, which makes them deterministic."""
    for layer in models[1].layers:
        if isinstance(layer, keras.layers.Dropout):
            layer.rate = 0.0
    return models


@pytest.mark.parametrize("separate", [False, slow(True)])
def test_the_step_equals_the_updates_written_by_hand(separate):
    g_model, d_model, gan_model = without_dropout(tutorial_models())
    gan = GAN(g_model, d_model, gan_model, separate)
    g_hand, d_hand = keras.models.clone_model(g_model), keras.models.clone_model(d_model)
    g_hand.set_weights(g_model.get_weights())
    d_hand.set_weights(d_model.get_weights())
    g_adam, d_adam = (keras.optimizers.Adam(0.0002, beta_1=0.5) for _ in range(2))
    bce = keras.losses.BinaryCrossentropy()

    for step in range(3):
        x_real = real_images(8, seed=step)
        vectors = [
            np.random.default_rng([step, n]).standard_normal((n, 10)).astype("float32")
            for n in (8, 16)
        ]
        fed = iter(vectors)
        gan.latent_vectors = lambda n, fed=fed: tf.constant(next(fed))
        gan.train_step((x_real,))

        x_fake = g_hand(vectors[0], training=True)
        updates = [(x_real, tf.ones((8, 1))), (x_fake, tf.zeros((8, 1)))]
        if not separate:
            updates = [[tf.concat(parts, 0) for parts in zip(*updates, strict=True)]]
        ws = d_hand.trainable_weights
        for images, labels in updates:
            with tf.GradientTape() as tape:
                loss = bce(labels, d_hand(images, training=True))
            d_adam.apply_gradients(zip(tape.gradient(loss, ws), ws, strict=True))
        with tf.GradientTape() as tape:
            loss = bce(
                tf.ones((16, 1)), d_hand(g_hand(vectors[1], training=True), training=True)
            )
        ws = g_hand.trainable_weights
        g_adam.apply_gradients(zip(tape.gradient(loss, ws), ws, strict=True))

    np.testing.assert_allclose(weights(d_model), weights(d_hand), atol=1e-6)
    np.testing.assert_allclose(weights(g_model), weights(g_hand), atol=1e-6)


def test_compiled_steps_equal_the_eager_ones():
    """The same z and images, once in `fit`'s graph and once step by step."""
    x_real = real_images(40)
    results = []
    for eager in (False, True):
        keras.utils.set_random_seed(3)
        g_model, d_model, gan_model = without_dropout(tutorial_models())
        gan = GAN(g_model, d_model, gan_model)
        gan.run_eagerly = eager
        gan.fit(x_real, batch_size=8, shuffle=False, verbose=0)
        results.append((weights(d_model), weights(g_model)))
    (d_graph, g_graph), (d_eager, g_eager) = results
    np.testing.assert_allclose(d_graph, d_eager, atol=1e-6)
    # Adam makes whole steps of gradients that are mere rounding errors: take the mean.
    assert np.abs(g_graph - g_eager).mean() < 1e-6


@pytest.mark.parametrize(
    "models, keywords",
    [
        (quick_models, {}),
        slow(tutorial_models, {"critic_steps": 2}),
        slow(celeba_models, {"separate": True}),
    ],
)
def test_updates_called_one_by_one_equal_fit_bit_for_bit(models, keywords):
    found = []
    for in_fit in (True, False):
        keras.utils.set_random_seed(3)
        gan = GAN(*models(), **keywords)
        batches = real_images(24, shape=gan.d_model.input_shape[1:]).reshape(
            6, 4, *gan.d_model.input_shape[1:]
        )
        if in_fit:
            fit_batches(gan, batches)
        else:
            updates_one_by_one(gan, batches, gan.critic_steps)
        means = [float(mean.result()) for mean in gan.metrics]
        found.append((weights(gan.g_model), weights(gan.d_model), means))
    for one, other in zip(*found, strict=True):
        assert np.array_equal(one, other)


def test_generator_learns_through_the_discriminators_batch_statistics():
    """A frozen BatchNormalization would use its moving averages: another D."""
    g_model, d_model, gan_model = batch_norm_models()
    gan = GAN(g_model, d_model, gan_model)
    d_model.layers[1].moving_mean.assign(np.full(4, 100.0))
    z = gan.latent_vectors(16)
    gan.latent_vectors = lambda n: z
    images = g_model.stateless_call(
        g_model.trainable_variables, g_model.non_trainable_variables, z, training=True
    )[0]
    in_training = d_model.stateless_call(
        d_model.trainable_variables,
        d_model.non_trainable_variables,
        images,
        training=True,
    )[0]
    expected = -np.mean(np.log(in_training))
    gan.train_g(real_images(8))
    assert float(gan.means["g_loss"].result()) == pytest.approx(expected, rel=1e-4)


def test_logged_loss_is_the_mean_over_its_own_epoch_alone():
    """D returns one probability for all images, another one in each epoch."""
    g_model, d_model, gan_model = tutorial_models()
    gan, head = GAN(g_model, d_model, gan_model), d_model.layers[-1]
    for model in (d_model, gan_model):
        model.optimizer.learning_rate = 0.0
    head.kernel.assign(np.zeros(head.kernel.shape))
    biases = [0.0, 2.0, -1.0]

    class NextBias(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            head.bias.assign([biases[epoch]])

    history = gan.fit(
        real_images(16), batch_size=4, epochs=3, verbose=0, callbacks=[NextBias()]
    ).history
    p = 1 / (1 + np.exp(-np.array(biases)))
    np.testing.assert_allclose(history["d_loss"], -(np.log(p) + np.log(1 - p)) / 2, 1e-5)
    np.testing.assert_allclose(history["g_loss"], -np.log(p), 1e-5)


def test_separate_batches_are_logged_each_for_itself():
    g_model, d_model, gan_model = quick_models()
    gan, head = GAN(g_model, d_model, gan_model, separate=True), d_model.layers[-1]
    for model in (d_model, gan_model):
        model.optimizer.learning_rate = 0.0
    head.kernel.assign(np.zeros(head.kernel.shape))
    head.bias.assign([2.0])
    logs = gan.fit(real_images(16), batch_size=4, verbose=0).history
    p = 1 / (1 + np.exp(-2.0))
    assert set(logs) == {"d1", "d2", "g_loss", "acc_real", "acc_fake", "acc_adv"}
    assert logs["d1"][0] == pytest.approx(-np.log(p), rel=1e-5)
    assert logs["d2"][0] == pytest.approx(-np.log(1 - p), rel=1e-5)


def test_logged_accuracies_are_shares_of_their_own_label():
    g_model, d_model, gan_model = tutorial_models()
    gan = GAN(g_model, d_model, gan_model)
    head = d_model.layers[-1]
    for is_real in (True, False):
        head.kernel.assign(np.zeros(head.kernel.shape))
        head.bias.assign([5.0 if is_real else -5.0])
        gan.reset_metrics()
        logs = gan.train_step((real_images(4),))
        assert float(logs["acc_real"]) == is_real
        assert float(logs["acc_fake"]) == (not is_real)
        assert float(logs["acc_adv"]) == is_real


def test_fakes_differ_from_step_to_step_and_are_float32_images():
    gan = GAN(*tutorial_models())
    first, second = gan.generate_fakes(3).numpy(), gan.generate_fakes(3).numpy()
    assert first.shape == (3, 28, 28, 1) and first.dtype == np.float32
    assert np.abs(first - second).max() > 0


def test_fakes_are_drawn_with_the_statistics_of_their_own_batch():
    g_model, d_model, gan_model = quick_models()
    gan = GAN(g_model, d_model, gan_model)
    z = gan.latent_vectors(8)
    gan.latent_vectors = lambda n: z
    before = gan.generate_fakes(8).numpy()
    norm = next(x for x in g_model.layers if "batch_norm" in x.name)
    norm.moving_mean.assign(norm.moving_mean + 100)
    assert np.array_equal(gan.generate_fakes(8), before)


def test_averaged_generator_is_the_running_mean_and_gives_the_weights_back():
    g_model, d_model, gan_model = quick_models()
    momentum = 0.7
    gan_model.optimizer.use_ema, gan_model.optimizer.ema_momentum = True, momentum
    gan = GAN(g_model, d_model, gan_model)
    expected = None
    for _ in range(4):
        gan.train_g(real_images(4))
        now = [w.numpy() for w in g_model.trainable_variables]
        if expected is None:
            expected = now
        else:
            pairs = zip(expected, now, strict=True)
            expected = [momentum * e + (1 - momentum) * w for e, w in pairs]
    last = weights(g_model)
    with gan.averaged_generator():
        for weight, mean in zip(g_model.trainable_variables, expected, strict=True):
            np.testing.assert_allclose(weight.numpy(), mean, atol=1e-6)
    assert np.array_equal(weights(g_model), last)


def test_the_statistics_of_an_averaged_generator_are_its_own():
    g_model, d_model, gan_model = quick_models()
    gan_model.optimizer.use_ema, gan_model.optimizer.ema_momentum = True, 0.7
    gan = GAN(g_model, d_model, gan_model)
    for _ in range(3):
        gan.train_g(real_images(4))
    norm = next(x for x in g_model.layers if "batch_norm" in x.name)
    before = keras.Model(g_model.inputs, norm.input)
    rng = np.random.default_rng(5)
    z = rng.standard_normal((5000, 10)).astype("float32")
    with gan.averaged_generator():
        seen = before.predict(z, batch_size=500, verbose=0)
        mean, variance = norm.moving_mean.numpy(), norm.moving_variance.numpy()
    axes = tuple(range(seen.ndim - 1))
    np.testing.assert_allclose(mean, seen.mean(axes), atol=0.05 * seen.std())
    np.testing.assert_allclose(variance, seen.var(axes), rtol=0.2)


def test_without_averages_the_generator_is_as_it_is():
    g_model, d_model, gan_model = tutorial_models()
    gan = GAN(g_model, d_model, gan_model)
    last = weights(g_model)
    with gan.averaged_generator():
        assert np.array_equal(weights(g_model), last)


@pytest.mark.parametrize(
    "models, policy",
    [
        (quick_models, "mixed_bfloat16"),
        slow(quick_models, "mixed_float16"),
        slow(tutorial_models, "mixed_bfloat16"),
    ],
)
def test_both_sides_learn_in_mixed_precision(policy, models):
    keras.config.set_dtype_policy(policy)
    g_model, d_model, gan_model = models()
    gan = GAN(g_model, d_model, gan_model)
    assert moved(d_model, lambda: gan.train_d(real_images(4))) > 0
    assert moved(g_model, lambda: gan.train_g(real_images(4))) > 0
    assert {w.dtype for w in g_model.weights} == {"float32"}
