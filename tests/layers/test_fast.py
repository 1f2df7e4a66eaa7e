"""Fast layers: numbers, gradients, weights and files are those of plain ones."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import Sequential, layers
from small_gans import real_images, tutorial_models, weights

from common.gan import GAN
from common.layers import cpu_layers
from common.layers.conditional import conditional_generator
from common.sampling import all_layers
from mnist_gan.define_generator import define_generator


def outputs_and_gradients(convolve, x, kernel, dy):
    with tf.GradientTape() as tape:
        tape.watch([x, kernel])
        y = convolve(x, kernel)
    return [y, *tape.gradient(y, [x, kernel], output_gradients=dy)]


@pytest.mark.parametrize("dtype, tolerance", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("kernel_size", [(3, 3), (5, 5), (7, 7), (4, 1)])
def test_it_is_the_convolution_with_its_gradients(dtype, tolerance, kernel_size):
    for c_out in (1, 3):
        for size in ((7, 9), (28, 28)):
            shapes = (2, *size, 8), (*kernel_size, 8, c_out), (2, *size, c_out)
            arrays = [tf.random.normal(shape, dtype=dtype) for shape in shapes]
            plain = outputs_and_gradients(
                lambda x, kernel: tf.nn.conv2d(x, kernel, 1, "SAME"), *arrays
            )
            found = outputs_and_gradients(cpu_layers.convolve, *arrays)
            for ours, theirs in zip(found, plain, strict=True):
                assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
                error = tf.reduce_max(abs(ours - theirs)) / tf.reduce_max(abs(theirs))
                assert error < tolerance


def test_gradients_of_gradients_are_those_of_the_convolution():
    x, kernel = tf.random.normal((2, 6, 5, 8)), tf.random.normal((3, 3, 8, 1))
    found = []
    for convolve in (cpu_layers.convolve, lambda x, k: tf.nn.conv2d(x, k, 1, "SAME")):
        with tf.GradientTape() as outer:
            outer.watch([x, kernel])
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = tf.nn.tanh(convolve(x, kernel))
            penalty = tf.reduce_sum(tape.gradient(y, x) ** 2)
        found.append(outer.gradient(penalty, [x, kernel]))
    for ours, theirs in zip(*found, strict=True):
        assert np.allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_sizes_that_the_graph_does_not_know_are_left_alone():
    x, kernel = tf.random.normal((2, 6, 5, 8)), tf.random.normal((3, 3, 8, 1))
    unknown = tf.function(cpu_layers.convolve).get_concrete_function(
        tf.TensorSpec((None, None, None, 8)), tf.TensorSpec(kernel.shape)
    )
    assert np.array_equal(unknown(x, kernel), tf.nn.conv2d(x, kernel, 1, "SAME"))


@pytest.mark.parametrize("dtype", ["float64", "float32", "bfloat16"])
def test_leaky_relu_is_the_same_with_all_its_gradients(dtype):
    x = tf.constant([-3, -1e-3, -0.0, 0, 1e-3, 2, np.inf, -1e-38], dtype)
    found = []
    for function in (cpu_layers.leaky_relu, tf.nn.leaky_relu):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as tape:
                tape.watch(x)
                y = function(x, 0.2) ** 2
            first = tape.gradient(y, x)
        found.append([y, first, outer.gradient(first, x)])
    for ours, theirs in zip(*found, strict=True):
        assert np.array_equal(tf.cast(ours, "float64"), tf.cast(theirs, "float64"), True)


def test_the_gradient_of_leaky_relu_needs_nothing_but_its_output():
    @tf.function
    def gradient(z):
        x = tf.nn.tanh(z)
        return tf.gradients(cpu_layers.leaky_relu(x, 0.2), x)

    graph = gradient.get_concrete_function(tf.TensorSpec((9,))).graph
    (backward,) = (op for op in graph.get_operations() if op.type == "LeakyReluGrad")
    assert [tensor.op.type for tensor in backward.inputs][1] == "LeakyRelu"


def in_blocks(model):
    return [x for x in all_layers(model) if x.__dict__.get("convolution_op")]


def by_output(model):
    return [x for x in all_layers(model) if x.__dict__.get("call")]


def conditional_models():
    return conditional_generator(define_generator, 10, 10, "concat")


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"])
def test_outputs_and_configurations_are_the_same(policy):
    keras.config.set_dtype_policy(policy)
    model = conditional_models()
    inputs = [np.ones((4, 10), "float32"), np.ones((4, 1), "int32")]
    plain, config = model(inputs), model.get_config()
    cpu_layers.use_fast_layers(model)
    assert [layer.filters for layer in in_blocks(model)] == [1]
    assert len(by_output(model)) == 3
    found = model(inputs)
    assert model.get_config() == config
    assert not in_blocks(keras.models.clone_model(model))
    assert found.dtype == plain.dtype == policy.removeprefix("mixed_")
    tolerance = 1e-5 if policy == "float32" else 1e-2
    assert np.allclose(found, plain, rtol=0, atol=tolerance)


def test_only_layers_that_gain_are_fast():
    def chosen(*built):
        model = Sequential([layers.Input((8, 8, 64)), *built])
        cpu_layers.use_fast_layers(model)
        return len(in_blocks(model))

    same = {"padding": "same"}
    assert chosen(layers.Conv2D(3, 3, **same)) == 1
    shared = layers.Conv2D(64, 3, **same)
    others = [
        shared,
        layers.Conv2D(3, 5, **same),  # 75 numbers in a kernel
        layers.Conv2D(3, 1, **same),
        layers.Conv2D(3, 3),
        layers.Conv2D(3, 3, strides=2, **same),
        layers.Conv2D(3, 3, dilation_rate=2, **same),
        layers.Conv2D(2, 3, groups=2, **same),
        layers.Conv2DTranspose(3, 3, **same),
        layers.SpectralNormalization(layers.Conv2D(3, 3, **same)),
    ]
    assert [chosen(layer) for layer in others] == [0] * len(others)


def test_trained_weights_and_files_are_those_of_plain_layers(monkeypatch):
    gans = []
    for is_on in (True, False):
        monkeypatch.setattr(cpu_layers, "on_cpu", lambda is_on=is_on: is_on)
        keras.utils.clear_session()  # names are counted from 0 again
        keras.utils.set_random_seed(1)
        gans.append(GAN(*tutorial_models()))
        gans[-1].fit(real_images(4), batch_size=4, verbose=0, shuffle=False)
    ours, theirs = (np.append(weights(g.g_model), weights(g.d_model)) for g in gans)
    distance = np.abs(ours - theirs)
    assert distance.max() > 0  # it was used
    # Adam's first step is the gradient's sign, which may turn where that is near 0.
    assert np.mean(distance > 1e-6) < 1e-3
    gans[1].g_model.set_weights(gans[0].g_model.get_weights())
    files = []
    for gan in gans:
        gan.g_model.save("model.h5", include_optimizer=False)
        files.append(Path("model.h5").read_bytes())
    assert files[0] == files[1]


def test_another_backend_computes_as_it_did(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    model = define_generator(10)
    cpu_layers.use_fast_layers(model)
    assert not in_blocks(model) and not by_output(model)
