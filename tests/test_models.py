"""The tutorial's models: shapes, parameter counts, and the comments beside the layers."""

import inspect
import re

import numpy as np
import pytest

from mnist_gan import quick
from mnist_gan.define_discriminator import define_discriminator
from mnist_gan.define_gan import define_gan
from mnist_gan.define_generator import define_generator


def counts(model):
    trainable = sum(int(np.prod(w.shape)) for w in model.trainable_weights)
    return model.count_params(), trainable


def test_parameter_counts_are_the_textbooks():
    d_model, g_model = define_discriminator(), define_generator(100)
    assert d_model.count_params() == 40_705
    assert g_model.count_params() == 1_164_289
    assert counts(define_gan(g_model, d_model)) == (1_204_994, 1_164_289)


def test_shapes_and_ranges():
    d_model, g_model = define_discriminator(), define_generator(100)
    images = g_model.predict(np.random.randn(3, 100), verbose=0)
    assert images.shape == (3, 28, 28, 1) and images.dtype == np.float32
    assert images.min() >= 0 and images.max() <= 1
    verdict = d_model.predict(images, verbose=0)
    assert verdict.shape == (3, 1) and ((verdict > 0) & (verdict < 1)).all()


def test_discriminator_takes_another_image_shape():
    assert define_discriminator(in_shape=(32, 32, 3)).input_shape == (None, 32, 32, 3)


def test_discriminator_is_compiled_as_in_the_tutorial():
    d_model = define_discriminator()
    assert d_model.loss == "binary_crossentropy"
    assert float(d_model.optimizer.learning_rate) == pytest.approx(0.0002)
    assert d_model.optimizer.beta_1 == 0.5
    assert [layer.rate for layer in d_model.layers if hasattr(layer, "rate")] == [0.4] * 2


@pytest.mark.parametrize(
    "define, argument",
    [
        (define_discriminator, (28, 28, 1)),
        (define_generator, 100),
        (quick.define_discriminator, (28, 28, 1)),
        (quick.define_generator, 100),
    ],
)
def test_shape_comments_are_true(define, argument):
    """Each `# 14x14x64` beside a layer is the shape of one of the model's layers."""
    said = re.findall(r"# (\d+(?:x\d+)*)\b", inspect.getsource(define))
    model = define(argument)
    shapes = ["x".join(map(str, layer.output.shape[1:])) for layer in model.layers]
    assert said
    for shape in said:
        assert shape in shapes
