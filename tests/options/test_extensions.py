"""The options beyond the tutorials: alone, in pairs, and those that are not allowed."""

import itertools
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import refused, slow
from small_gans import moved, real_images, weights

from common.architectures import architectures
from common.basics.errors import UserError
from common.data.datasets import Images
from common.fitting.build import define_models, gan_for, scaled_for
from common.objectives.labels import SmoothedLabels
from common.objectives.table import OPTIONS
from common.options.training_options import training_options
from mnist_gan import quick
from mnist_gan.train import SCRIPT, main

CLASSES = tuple("abc")
SHAPE = (8, 8, 1)
TRIOS = architectures(SHAPE)
CHOICES = [  # each the words of one choice; every two of different lists meet
    [["--objective", name] for name in OPTIONS],
    [[], ["--conditional"], ["--conditional", "--condition", "hadamard"],
     ["--conditional", "--condition", "classify"], ["--conditional", "--wrong-labels"]],
    [*(["--architecture", name] for name in TRIOS), ["--normalization", "batch"],
     ["--normalization", "layer"], ["--normalization", "spectral"],
     ["--upsampling", "resize", "--output", "tanh", "--depth", "1", "--dropout", "0.1"]],
    [[], ["--d-batches", "separate"]],
    [[], ["--label-smoothing", "0.1"], ["--label-noise", "0.1"]],
    [[], ["--augment"]],
    [[], ["--optimizer", "rmsprop"], ["--optimizer", "sgd"],
     ["--g-learning-rate", "0.001"], ["--d-learning-rate", "0.001"]],
    [[], ["--ema", "0.9"]],
]  # fmt: skip


def options_of(*words):
    given = [*words, "--critic-steps", "1"]
    return training_options(given, SCRIPT)


def gan_of(*words):
    options = options_of(*words, "--latent-dim", "4")
    trio = TRIOS[options.architecture]
    models = define_models(options, *trio, SHAPE, CLASSES)
    return options, gan_for(options, *models)


def possible(words):
    try:
        options_of(*words)
    except UserError:
        return False
    return True


def play_two_steps(words):
    """Two steps on tiny data: both sides learn, neither in the other's update."""
    keras.utils.set_random_seed(1)
    options, gan = gan_of(*words)
    g_model, d_model = gan.g_model, gan.d_model
    images = real_images(4, shape=SHAPE)
    labels = np.array([[0], [1], [2], [1]], "int32")
    data = (images, labels) if options.conditional else (images,)
    for _ in range(2):
        (batch,) = gan.real_batches(tuple(map(keras.ops.array, data)))
        kept = weights(g_model)
        assert moved(d_model, lambda x=batch: gan.train_d(x)) > 0
        assert np.array_equal(weights(g_model), kept)
        kept = weights(d_model)
        assert moved(g_model, lambda x=batch: gan.train_g(x)) > 0
        assert np.array_equal(weights(d_model), kept)
    assert np.isfinite(weights(g_model)).all() and np.isfinite(weights(d_model)).all()
    last = weights(g_model)
    with gan.averaged_generator():
        assert np.array_equal(weights(g_model), last) == (not options.ema)
    assert np.array_equal(weights(g_model), last)


def words_of(row):
    """The words of a row, dict: number of the choice -> number of the words."""
    return [word for i, k in sorted(row.items()) for word in CHOICES[i][k]]


def pairs_of(row):
    return set(itertools.combinations(sorted(row.items()), 2))


def every_pair():
    """Rows of choices in which every two values meet that may."""
    numbers = [[(i, k) for k in range(len(c))] for i, c in enumerate(CHOICES)]
    allowed = {
        pair
        for one, other in itertools.combinations(numbers, 2)
        for pair in itertools.product(one, other)
        if possible(words_of(dict(pair)))
    }
    missing = set(allowed)
    while missing:
        row = dict(min(missing))
        for i in set(range(len(CHOICES))) - set(row):
            rows = [{**row, i: k} for k in range(len(CHOICES[i]))]
            fits = [r for r in rows if pairs_of(r) <= allowed]
            row = max(fits, key=lambda r: len(pairs_of(r) & missing))
        missing -= pairs_of(row)
        yield words_of(row)


@pytest.mark.parametrize(
    "words",
    [slow(words) if i % 12 else words for i, words in enumerate(every_pair())],
    ids=" ".join,
)
def test_every_two_options_train_together(words):
    play_two_steps(words)


BAD = {
    "--upsampling resize --architecture dcgan": "belongs to --architecture flexible",
    "--condition hadamard": "needs --conditional",
    "--wrong-labels": "needs --conditional",
    "--conditional --condition classify --wrong-labels": "has no class input",
    "--conditional --wrong-labels --d-batches separate": "--d-batches mixed",
    "--conditional --wrong-labels --objective r3gan": "has no term for real images",
    "--conditional --objective began": "auto-encoder",
    "--conditional --condition classify --objective wgan-gp": "takes scores only",
    "--normalization batch --objective wgan-gp": "use --normalization layer",
    "--normalization batch --objective ebgan": "use --normalization layer",
    "--label-smoothing 0.1 --objective hinge": "0/1 targets",
    "--label-noise 0.1 --objective ebgan": "0/1 targets",
    "--augment --objective began": "copy the augmentations",
    "--architecture conditional-dense": "needs --conditional",
    "--conditional --condition classify --architecture conditional-dense": "concat",
    "--ema 1": "below 1",
    "--ema nan": "finite",
    "--label-noise -0.1": "at least 0",
    "--width 0": "above 0",
    "--width 9": "at most 8",
    "--label-noise 0.5": "below 0.5",
    "--objective wgan --normalization spectral": "conflicts with",
    "--objective wgan --architecture resnet": "conflicts with",
    "--depth 1.5": "whole number",
    "--dropout 1": "below 1",
    "--condition telepathy": "invalid choice",
    "--on-collapse panic": "invalid choice",
}


@pytest.mark.parametrize("words", BAD)
def test_nonsense_is_refused_with_its_reason(capsys, words):
    assert BAD[words] in refused(capsys, main, *words.split())
    assert not Path("runs").exists()


def test_an_extension_that_is_typed_makes_the_architecture_flexible():
    assert options_of().architecture == "tutorial"
    assert options_of("--preset", "quick").architecture == "narrow"
    assert options_of("--width", "0.5").architecture == "flexible"
    assert options_of("--width", "0.5", "--preset", "quick").architecture == "flexible"


def test_smoothing_is_one_sided_and_noise_tells_a_share_wrongly():
    y_true = np.array([[1.0], [0.0]], "float32")
    p = np.array([[0.8], [0.3]], "float32")
    loss = np.array(SmoothedLabels("binary_crossentropy", 0.1, 0.0)(y_true, p))
    expected = [-0.9 * np.log(0.8) - 0.1 * np.log(0.2), -np.log(0.7)]
    np.testing.assert_allclose(loss, expected, rtol=1e-5)
    ones, p = np.ones((20_000, 1), "float32"), np.full((20_000, 1), 0.9, "float32")
    loss = np.array(SmoothedLabels("binary_crossentropy", 0.0, 0.2)(ones, p))
    assert np.mean(np.isclose(loss, -np.log(0.1), rtol=1e-3)) == pytest.approx(
        0.2, abs=0.01
    )


def test_only_the_discriminator_is_told_unsure_labels():
    _, gan = gan_of("--label-smoothing", "0.3", "--architecture", "dense")
    assert isinstance(gan.d_model.loss, SmoothedLabels)
    assert gan.gan_model.loss == "binary_crossentropy"


def test_smoothing_keeps_a_loss_for_each_image():
    """A Loss of Keras takes the mean of all images, and would drop their weights."""
    labels = np.array([[1.0], [0.0]], "float32")
    loss = SmoothedLabels(keras.losses.BinaryCrossentropy(), 0.1, 0.0)
    assert loss(labels, np.array([[0.8], [0.3]], "float32")).shape == (2,)


def gan_compiled_with(d_loss, *words, g_loss="binary_crossentropy", activation="sigmoid",
                      d_optimizer="sgd"):  # fmt: skip
    """A GAN of dense models with another end of D, and another compilation of both."""
    define_g, define_plain_d, _ = TRIOS["dense"]

    def define_d(in_shape):
        model = define_plain_d(in_shape)
        model.layers[-1].activation = keras.activations.get(activation)
        model.compile(d_optimizer, d_loss)
        return model

    def define_gan(g_model, d_model):
        model = keras.Sequential([g_model, d_model])
        model.compile(keras.optimizers.SGD(0.5), g_loss)
        return model

    options = options_of("--architecture", "dense", "--latent-dim", "4", *words)
    trio = define_g, define_d, define_gan
    return gan_for(options, *define_models(options, *trio, SHAPE, CLASSES))


@pytest.mark.parametrize("more", [[], ["--conditional"]])
def test_what_a_reader_changes_in_the_define_functions_is_what_trains(more):
    losses = "mean_squared_error", "mean_absolute_error"
    d_optimizer = keras.optimizers.RMSprop(0.25)
    gan = gan_compiled_with(losses[0], *more, g_loss=losses[1], d_optimizer=d_optimizer)
    assert gan.equilibrium_loss is None  # nobody knows it
    assert (gan.d_model.loss, gan.gan_model.loss) == losses
    for model, kind, rate in (
        (gan.d_model, keras.optimizers.RMSprop, 0.25),
        (gan.gan_model, keras.optimizers.SGD, 0.5),
    ):
        assert isinstance(model.optimizer, kind)
        assert float(model.optimizer.learning_rate) == rate


def test_the_ideal_is_that_of_the_loss_that_trains():
    same = gan_compiled_with(keras.losses.BinaryCrossentropy())
    assert (
        same.equilibrium_loss == gan_of("--architecture", "dense")[1].equilibrium_loss > 0
    )
    assert gan_compiled_with("mean_absolute_error").equilibrium_loss is None


def test_a_readers_scores_are_called_real_above_0():
    assert gan_compiled_with("binary_crossentropy").threshold == 0.5
    assert gan_compiled_with("hinge", activation="linear").threshold == 0


def test_a_schedule_of_the_rate_is_not_replaced_in_silence():
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.9)
    scheduled = {"d_optimizer": keras.optimizers.SGD(schedule)}
    gan = gan_compiled_with("binary_crossentropy", **scheduled)
    assert float(gan.d_model.optimizer.learning_rate) == pytest.approx(0.1)
    scheduled = {"d_optimizer": keras.optimizers.SGD(schedule)}
    with pytest.raises(UserError, match="learning rate schedule"):
        gan_compiled_with("binary_crossentropy", "--learning-rate", "0.1", **scheduled)


@pytest.mark.parametrize("precision", ["float32", "mixed_float16"])
def test_each_side_has_the_optimizer_and_the_rate_that_are_asked_for(precision):
    keras.config.set_dtype_policy(precision)
    words = ["--optimizer", "sgd", "--g-learning-rate", "0.3", "--ema", "0.5"]
    _, gan = gan_of(*words, "--architecture", "dense")
    for model, rate in ((gan.d_model, 0.0001), (gan.gan_model, 0.3)):
        inner = getattr(model.optimizer, "inner_optimizer", model.optimizer)
        assert isinstance(inner, keras.optimizers.SGD)
        assert float(inner.learning_rate) == pytest.approx(rate)
    with gan.averaged_generator():
        pass


def test_images_are_scaled_to_what_the_generator_makes():
    pixels = np.array([0, 51, 255], "uint8").reshape(3, 1, 1, 1)
    images = Images(pixels, None, "mine", "drawn")
    for output, values in (("sigmoid", [0, 0.2, 1]), ("tanh", [-1, -0.6, 1])):
        draw = TRIOS["flexible"][0](4, output=output)
        dataset = scaled_for(draw, images)
        np.testing.assert_allclose(dataset[:].ravel(), values, atol=1e-6)
        assert dataset[:].min() >= values[0] and dataset[:].max() <= 1


def test_the_narrowest_models_have_a_filter():
    for define, size in zip(TRIOS["flexible"], (4, SHAPE), strict=False):
        assert define(size, width=0.001).count_params() > 0


def test_without_options_the_models_are_the_folders_own():
    options = options_of("--preset", "quick")
    trio = quick.define_generator, quick.define_discriminator, quick.define_gan
    g_model, d_model, gan_model = define_models(options, *trio, (28, 28, 1))
    assert g_model.get_config()["layers"][1:] and type(d_model) is keras.Sequential
    assert gan_model.layers == [g_model, d_model]
    gan = gan_for(options, g_model, d_model, gan_model)
    assert type(gan).__name__ == "GAN" and gan.gan_model.optimizer.ema_momentum == 0.998
