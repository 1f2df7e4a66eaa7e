"""The models of all folders: shapes, parameter counts, and the comments beside layers."""

import inspect
import re

import numpy as np
import pytest
from helpers import slow

import celeba_gan.dense
import celeba_gan.quick
import cifar10_gan.best
import cifar10_gan.quick
import mnist_gan.quick
from celeba_gan.define_discriminator import define_discriminator as celeba_d
from celeba_gan.define_gan import define_gan as celeba_gan_of
from celeba_gan.define_generator import define_generator as celeba_g
from cifar10_gan.define_discriminator import define_discriminator as cifar10_d
from cifar10_gan.define_gan import define_gan as cifar10_gan_of
from cifar10_gan.define_generator import define_generator as cifar10_g
from mnist_gan.define_discriminator import define_discriminator as mnist_d
from mnist_gan.define_gan import define_gan as mnist_gan_of
from mnist_gan.define_generator import define_generator as mnist_g

TUTORIALS = {  # folder: functions, and the textbook's counts
    "mnist": (mnist_g, mnist_d, mnist_gan_of, 1_164_289, 40_705),
    "cifar10": (cifar10_g, cifar10_d, cifar10_gan_of, 1_466_115, 522_497),
}
OWN_SIZE = {
    "dcgan": (celeba_g, celeba_d, celeba_gan_of),
    "dense": (
        celeba_gan.dense.define_generator,
        celeba_gan.dense.define_discriminator,
        celeba_gan_of,
    ),
    "narrow": (
        celeba_gan.quick.define_generator,
        celeba_gan.quick.define_discriminator,
        celeba_gan.quick.define_gan,
    ),
}


def counts(model):
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    return model.count_params(), trainable


@pytest.mark.parametrize("folder", TUTORIALS)
def test_parameter_counts_are_the_textbooks(folder):
    define_g, define_d, define_gan, n_g, n_d = TUTORIALS[folder]
    g_model, d_model = define_g(100), define_d()
    assert (g_model.count_params(), d_model.count_params()) == (n_g, n_d)
    assert counts(define_gan(g_model, d_model)) == (n_g + n_d, n_g)


def assert_shapes_and_range(g_model, d_model, shape, low):
    images = g_model.predict(10 * np.random.randn(3, g_model.input_shape[1]), verbose=0)
    assert images.shape == (3, *shape) and images.dtype == np.float32
    assert images.min() >= low and images.max() <= 1
    assert (images.min() < 0) == (low < 0)
    outputs = d_model.predict(images, verbose=0)
    assert outputs.shape == (3, 1) and ((outputs >= 0) & (outputs <= 1)).all()


@pytest.mark.parametrize(
    "define_g, define_d, shape, low",
    [
        (mnist_g, mnist_d, (28, 28, 1), 0),
        (mnist_gan.quick.define_generator, mnist_gan.quick.define_discriminator,
         (28, 28, 1), 0),
        (cifar10_g, cifar10_d, (32, 32, 3), -1),
        (cifar10_gan.quick.define_generator, cifar10_gan.quick.define_discriminator,
         (32, 32, 3), -1),
        (cifar10_gan.best.define_generator, cifar10_gan.best.define_discriminator,
         (32, 32, 3), -1),
    ],
)  # fmt: skip
def test_shapes_and_ranges(define_g, define_d, shape, low):
    assert_shapes_and_range(define_g(10), define_d(), shape, low)


@pytest.mark.parametrize("shape", [(32, 32, 3), slow((64, 64, 1)), slow((128, 128, 3))])
@pytest.mark.parametrize("models", OWN_SIZE)
def test_shapes_follow_from_the_size_of_the_pictures(models, shape):
    define_g, define_d, define_gan = OWN_SIZE[models]
    g_model, d_model = define_g(10, shape), define_d(shape)
    assert_shapes_and_range(g_model, d_model, shape, -1)
    n_g = sum(int(np.prod(w.shape)) for w in g_model.trainable_weights)
    assert counts(define_gan(g_model, d_model))[1] == n_g


@pytest.mark.parametrize("size, blocks, filters", [(32, 3, 256), (128, 5, 1024)])
def test_the_dcgans_blocks_follow_from_the_size(size, blocks, filters):
    for model in (celeba_d((size, size, 3)), celeba_g(10, (size, size, 3))):
        assert sum("conv" in layer.name for layer in model.layers) == blocks
        assert (4, 4, filters) in {layer.output.shape[1:] for layer in model.layers}


@pytest.mark.parametrize("define_d", [mnist_d, cifar10_d])
def test_discriminator_takes_another_image_shape(define_d):
    assert define_d(in_shape=(16, 16, 2)).input_shape == (None, 16, 16, 2)


@pytest.mark.parametrize(
    "define_d, dropouts",
    [(mnist_d, [0.4, 0.4]), (cifar10_d, [0.4]), (celeba_d, [])],
)
def test_discriminator_is_compiled_as_in_the_tutorial(define_d, dropouts):
    d_model = define_d()
    assert d_model.loss == "binary_crossentropy"
    assert float(d_model.optimizer.learning_rate) == pytest.approx(0.0002)
    assert d_model.optimizer.beta_1 == 0.5
    rates = [layer.rate for layer in d_model.layers if hasattr(layer, "rate")]
    assert rates == dropouts


@pytest.mark.parametrize(
    "define, argument",
    [
        (mnist_d, (28, 28, 1)),
        (mnist_g, 100),
        (mnist_gan.quick.define_discriminator, (28, 28, 1)),
        (mnist_gan.quick.define_generator, 100),
        (cifar10_d, (32, 32, 3)),
        (cifar10_g, 100),
        (cifar10_gan.quick.define_discriminator, (32, 32, 3)),
        (cifar10_gan.quick.define_generator, 100),
        (cifar10_gan.best.define_discriminator, (32, 32, 3)),
        (celeba_d, (64, 64, 3)),
        (celeba_g, 100),
        (celeba_gan.quick.define_discriminator, (64, 64, 3)),
        (celeba_gan.quick.define_generator, 100),
        (celeba_gan.dense.define_discriminator, (64, 64, 3)),
        (celeba_gan.dense.define_generator, 100),
    ],
)
def test_shape_comments_are_true(define, argument):
    """Each `# 14x14x64` beside a layer is the shape of one of the model's layers."""
    comments = re.findall(r"# (\d[\dx, ]*)", inspect.getsource(define))
    stated = re.findall(r"[\dx]+", " ".join(comments))
    model = define(argument)
    shapes = ["x".join(map(str, layer.output.shape[1:])) for layer in model.layers]
    assert stated
    for shape in stated:
        assert shape in shapes
