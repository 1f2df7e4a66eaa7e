"""The architectures of `--architecture`, on tiny batches."""

import subprocess
import sys

import keras
import numpy as np
import pytest
from helpers import ROOT, slow

import cifar10_gan.define_discriminator
import cifar10_gan.define_generator
import mnist_gan.define_discriminator
import mnist_gan.define_generator
from common.architectures import ARCHITECTURES, dcgan, dense, flexible, resnet, small
from common.checkpoints import load_model

SHAPES = [(28, 28, 1), slow((32, 32, 3)), slow((64, 64, 3)), (48, 64, 3)]
TUTORIALS = {
    (28, 28, 1): (mnist_gan.define_generator, mnist_gan.define_discriminator),
    (32, 32, 3): (cifar10_gan.define_generator, cifar10_gan.define_discriminator),
}
LOWEST = {"dense": 0}  # of G's images, where it is not -1


def all_layers(model):
    for layer in model.layers:
        yield from all_layers(layer) if hasattr(layer, "layers") else [layer]


def layers_of(model, kind):
    return [layer for layer in all_layers(model) if isinstance(layer, kind)]


def kinds(model):
    return [type(layer).__name__ for layer in all_layers(model)]


def spectral_norm(kernel):
    matrix = np.reshape(kernel, (-1, kernel.shape[-1]))
    return np.linalg.norm(matrix, 2)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_shapes_and_ranges(name, shape):
    low = LOWEST.get(name, -1)
    if name == "flexible" and shape == (28, 28, 1):
        low = 0
    architecture = ARCHITECTURES[name]
    g_model = architecture.define_generator(10, shape)
    d_model = architecture.define_discriminator(shape)
    assert (g_model.name, d_model.name) == ("generator", "discriminator")
    z = 100 * np.random.randn(2, 10).astype("float32")
    images = np.asarray(g_model(z))
    assert images.shape == (2, *shape)
    assert images.min() >= low and images.max() <= 1
    assert (images.min() < 0) == (low < 0)
    outputs = np.asarray(d_model(images))
    assert outputs.shape == (2, 1) and ((outputs >= 0) & (outputs <= 1)).all()


@pytest.mark.parametrize("channels", [2, 4])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_discriminator_takes_a_plane_more_and_ends_in_a_plain_layer(name, channels):
    d_model = ARCHITECTURES[name].define_discriminator((8, 12, channels))
    last = d_model.layers[-1]
    assert type(last) is keras.layers.Dense and len(last.input.shape) == 2
    assert last.units == 1 and last.dtype_policy.name == "float32"
    assert last.activation is keras.activations.sigmoid
    g_model = ARCHITECTURES[name].define_generator(5, (8, 12, 1))
    assert g_model.output_shape == (None, 8, 12, 1)


@pytest.mark.parametrize(
    "name, settings",
    [
        ("dense", (0.0001, 0.9, 0.999)),
        ("dcgan", (0.0002, 0.5, 0.999)),
        ("small", (0.0002, 0.5, 0.999)),
        ("resnet", (0.0002, 0.0, 0.9)),
        ("flexible", (0.0002, 0.5, 0.999)),
    ],
)
def test_discriminators_are_compiled_as_in_their_source(name, settings):
    d_model = ARCHITECTURES[name].define_discriminator((16, 16, 1))
    adam = d_model.optimizer
    rate = float(adam.learning_rate)
    assert (rate, adam.beta_1, adam.beta_2) == pytest.approx(settings)
    assert d_model.loss == "binary_crossentropy"
    assert not ARCHITECTURES[name].define_generator(5, (16, 16, 1)).compiled


def test_importing_them_is_fast():
    code = "import sys, common.architectures; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_saved_model_gives_the_same_outputs(name, tmp_path):
    shape = (16, 16, 3)
    d_model = ARCHITECTURES[name].define_discriminator(shape)
    g_model = ARCHITECTURES[name].define_generator(5, shape)
    z = np.random.randn(2, 5).astype("float32")
    images = g_model(z, training=True)  # also updates moving averages
    d_model(images, training=True)
    for model, inputs in ((g_model, z), (d_model, np.asarray(images))):
        model.save(tmp_path / "model.h5", include_optimizer=False)
        loaded = load_model(tmp_path / "model.h5")
        np.testing.assert_array_equal(loaded(inputs), model(inputs))
        for saved, weight in zip(loaded.weights, model.weights, strict=True):
            np.testing.assert_array_equal(saved, weight)


def test_the_dense_pairs_parameters():
    d_model = dense.define_discriminator((28, 28, 1))
    g_model = dense.define_generator(100, (28, 28, 1))
    assert d_model.count_params() == (784 + 1) * 200 + 2 * 200 + 201
    assert g_model.count_params() == (100 + 1) * 200 + 2 * 200 + 201 * 784


def test_the_dcgans_weights_are_drawn_one_by_one():
    shape = 64, 64, 3
    models = dcgan.define_discriminator(shape), dcgan.define_generator(100, shape)
    kernels = [
        np.asarray(layer.kernel)
        for model in models
        for layer in model.layers
        if hasattr(layer, "kernel")
    ]
    assert len(kernels) == 10
    for kernel in kernels:
        assert abs(kernel.mean()) < 0.002
        assert kernel.std() == pytest.approx(0.02, rel=0.05)
    starts = {tuple(kernel.ravel()[:5]) for kernel in kernels}
    assert len(starts) == len(kernels)


def test_two_equal_layers_of_the_dcgan_differ():
    first, second = (dcgan.define_discriminator((16, 16, 1)) for _ in range(2))
    assert not np.array_equal(first.layers[0].kernel, second.layers[0].kernel)


def test_the_dcgans_normalization_spares_ds_entrance_and_gs_end():
    conv, batch, relu = "Conv2D", "BatchNormalization", "LeakyReLU"
    d_model = dcgan.define_discriminator((28, 28, 1))
    assert kinds(d_model) == [conv, relu, conv, batch, relu, "Flatten", "Dense"]
    block = ["BatchNormalization", "ReLU", "Conv2DTranspose"]
    g_model = dcgan.define_generator(10, (28, 28, 1))
    assert kinds(g_model) == ["Dense", "Reshape", *block, *block]


@pytest.mark.parametrize("size, filters", [(28, [128, 64]), (64, [512, 256, 128, 64])])
def test_the_dcgans_generator_mirrors_its_discriminator(size, filters):
    d_model = dcgan.define_discriminator((size, size, 3))
    g_model = dcgan.define_generator(10, (size, size, 3))
    down = [layer.filters for layer in layers_of(d_model, keras.layers.Conv2D)]
    up = [layer.filters for layer in layers_of(g_model, keras.layers.Conv2DTranspose)]
    assert down == filters[::-1]
    assert up == [*filters[1:], 3]


def test_the_small_discriminator_is_the_courses():
    d_model = small.define_discriminator((28, 28, 1))
    convolutions = layers_of(d_model, keras.layers.Conv2D)
    assert [(c.filters, c.kernel_size[0], c.strides[0]) for c in convolutions] == [
        (16, 3, 2), (32, 3, 2), (64, 3, 2), (128, 4, 1)
    ]  # fmt: skip
    assert kinds(d_model).count("BatchNormalization") == 3
    assert convolutions[-1].output.shape[1:] == (4, 4, 128)


def test_the_resnets_blocks_at_cifar10s_size():
    d_model = resnet.define_discriminator((32, 32, 3), n_filters=8)
    g_model = resnet.define_generator(10, (32, 32, 3), n_filters=8)
    d_sizes = [block.output_shape[1] for block in d_model.layers[:4]]
    assert d_sizes == [16, 8, 8, 8]
    g_sizes = [b.output_shape[1] for b in g_model.layers if b.name.startswith("block")]
    assert g_sizes == [8, 16, 32]
    assert "Conv2D" not in kinds(d_model)  # each one is wrapped
    assert kinds(d_model).count("SpectralNormalization") == 3 + 3 + 2 + 2
    assert kinds(g_model).count("BatchNormalization") == 3 * 2 + 1


SPECTRAL = [
    lambda: resnet.define_discriminator((16, 16, 3), n_filters=8),
    lambda: flexible.define_discriminator(
        (16, 16, 3), normalization="spectral", width=0.1, dropout=0
    ),
]


@pytest.mark.parametrize("define", [slow(SPECTRAL[0]), SPECTRAL[1]])
def test_spectral_normalization_brings_every_convolution_to_norm_1(define):
    d_model = define()
    wrapped = layers_of(d_model, keras.layers.SpectralNormalization)
    for layer in wrapped:
        layer.kernel.assign(5 * layer.kernel)
    images = np.random.randn(2, 16, 16, 3).astype("float32")
    for _ in range(40):
        d_model(images, training=True)
    for layer in wrapped:
        assert spectral_norm(layer.kernel) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("define", SPECTRAL)
def test_spectral_normalization_outlasts_freezing(define):
    d_model = define()
    n_wrapped = len(layers_of(d_model, keras.layers.SpectralNormalization))
    trainable, fixed = d_model.trainable_weights, d_model.non_trainable_weights
    assert len(fixed) == n_wrapped  # the direction in which each kernel is longest
    d_model.trainable = False
    assert d_model.trainable_weights == []
    d_model.trainable = True
    assert d_model.trainable_weights == trainable
    images = np.random.randn(2, 16, 16, 3).astype("float32")
    outputs, after = d_model.stateless_call(trainable, fixed, images, training=True)
    np.testing.assert_allclose(outputs, d_model(images, training=True), atol=1e-6)
    for expected, weight in zip(after, fixed, strict=True):
        np.testing.assert_allclose(expected, weight, atol=1e-6)


def test_spectral_normalization_keeps_whole_numbers_in_mixed_precision():
    keras.config.set_dtype_policy("mixed_bfloat16")
    d_model = SPECTRAL[0]()
    d_model(np.random.randn(2, 16, 16, 3).astype("float32"), training=True)
    for layer in layers_of(d_model, keras.layers.SpectralNormalization):
        assert layer.layer.compute_dtype == "bfloat16"
        kernel = keras.ops.convert_to_tensor(layer.kernel.value)
        rounded = keras.ops.cast(keras.ops.cast(kernel, "bfloat16"), "float32")
        assert not np.array_equal(kernel, rounded)


def described(model):
    """What each layer is, without names and seeds."""
    return [
        (type(layer).__name__, layer.output.shape, layer.count_params(), settings(layer))
        for layer in model.layers
    ]


def settings(layer):
    wanted = ("filters", "kernel_size", "strides", "padding", "rate", "negative_slope")
    activation = getattr(layer, "activation", None)
    name = getattr(activation, "__name__", None)
    return [getattr(layer, key, None) for key in wanted], name


def compiled_with(model):
    config = model.get_compile_config()
    del config["optimizer"]["config"]["name"]
    return config


@pytest.mark.parametrize("shape", TUTORIALS)
def test_flexible_without_options_is_the_tutorial(shape):
    of_g, of_d = TUTORIALS[shape]
    g_model, d_model = of_g.define_generator(100), of_d.define_discriminator()
    own_d = flexible.define_discriminator(shape)
    assert described(flexible.define_generator(100, shape)) == described(g_model)
    assert described(own_d) == described(d_model)
    assert compiled_with(own_d) == compiled_with(d_model)


def flexible_models(shape, **options):
    return (
        flexible.define_generator(10, shape, **options),
        flexible.define_discriminator(shape, **options),
    )


def filters_of(model):
    convolutions = layers_of(model, keras.layers.Conv2D)
    convolutions += layers_of(model, keras.layers.Conv2DTranspose)
    return [layer.filters for layer in convolutions]


@pytest.mark.parametrize("shape", TUTORIALS)
def test_width_multiplies_all_filters(shape):
    for usual, narrow in zip(
        flexible_models(shape), flexible_models(shape, width=0.5), strict=True
    ):
        expected = [n // 2 if n > 3 else n for n in filters_of(usual)]  # not G's colours
        assert filters_of(narrow) == expected
        assert kinds(narrow) == kinds(usual)


@pytest.mark.parametrize("shape, d_sizes, g_sizes", [
    ((28, 28, 1), [14, 7], [7, 14, 28]),
    ((32, 32, 3), [32, 16, 8, 4], [4, 8, 16, 32]),
])  # fmt: skip
def test_depth_adds_convolutions_at_each_size(shape, d_sizes, g_sizes):
    usual = flexible_models(shape, width=0.1)
    deep = flexible_models(shape, width=0.1, depth=2)
    for model, before, sizes in zip(deep, usual, (g_sizes, d_sizes), strict=True):
        assert kinds(model).count("Conv2D") == kinds(before).count("Conv2D") + 2 * len(
            sizes
        )
        same_size = [
            layer.output.shape[1]
            for layer in layers_of(model, keras.layers.Conv2D)
            if layer.input.shape == layer.output.shape
        ]
        assert same_size == [size for size in sizes for _ in range(2)]
        assert model.layers[-1].output.shape == before.layers[-1].output.shape


@pytest.mark.parametrize("shape", TUTORIALS)
@pytest.mark.parametrize(
    "normalization, layer",
    [("batch", "BatchNormalization"), ("layer", "GroupNormalization")],
)
def test_normalization_spares_ds_entrance_and_gs_end(shape, normalization, layer):
    g_model, d_model = flexible_models(shape, normalization=normalization, width=0.1)
    for model in (g_model, d_model):
        assert kinds(model).count(layer) == kinds(model).count("LeakyReLU") - (
            model is d_model
        )
    assert kinds(d_model)[:2] == ["Conv2D", "LeakyReLU"]
    assert kinds(g_model)[-2:] == ["LeakyReLU", "Conv2D"]


def test_layer_normalization_is_of_one_image_and_has_one_scale_per_channel():
    d_model = flexible.define_discriminator((28, 28, 1), normalization="layer")
    (normalization,) = layers_of(d_model, keras.layers.GroupNormalization)
    values = 3 + 5 * np.random.randn(2, 7, 7, 64).astype("float32")
    outputs = np.asarray(normalization(values))
    np.testing.assert_allclose(outputs.mean((1, 2, 3)), 0, atol=1e-3)
    np.testing.assert_allclose(outputs.std((1, 2, 3)), 1, atol=1e-2)
    assert normalization.count_params() == 2 * 64


@pytest.mark.parametrize("shape", TUTORIALS)
def test_spectral_normalization_is_for_ds_convolutions(shape):
    g_model, d_model = flexible_models(shape, normalization="spectral")
    usual_g, usual_d = flexible_models(shape)
    assert described(g_model) == described(usual_g)
    wrapped = ["SpectralNormalization" if k == "Conv2D" else k for k in kinds(usual_d)]
    assert kinds(d_model) == wrapped


@pytest.mark.parametrize("shape, n_dropouts", [((28, 28, 1), 2), ((32, 32, 3), 1)])
def test_dropout_sets_the_rate(shape, n_dropouts):
    d_model = flexible.define_discriminator(shape, dropout=0.1)
    dropouts = layers_of(d_model, keras.layers.Dropout)
    assert [layer.rate for layer in dropouts] == [0.1] * n_dropouts


@pytest.mark.parametrize("output, low", [("sigmoid", 0), ("tanh", -1)])
@pytest.mark.parametrize("shape", TUTORIALS)
def test_output_sets_the_range(shape, output, low):
    g_model = flexible.define_generator(10, shape, output=output, width=0.1)
    images = np.asarray(g_model(100 * np.random.randn(2, 10).astype("float32")))
    assert low <= images.min() <= low + 0.3 and images.max() <= 1


@pytest.mark.parametrize("shape", TUTORIALS)
def test_resizing_replaces_transposed_convolutions(shape):
    usual = flexible.define_generator(10, shape)
    g_model = flexible.define_generator(10, shape, upsampling="resize")
    n = kinds(usual).count("Conv2DTranspose")
    assert "Conv2DTranspose" not in kinds(g_model)
    assert kinds(g_model).count("UpSampling2D") == n
    assert kinds(g_model).count("Conv2D") == kinds(usual).count("Conv2D") + n
    assert g_model.output_shape == usual.output_shape


@pytest.mark.parametrize("normalization", ["none", "batch", "layer", "spectral"])
@pytest.mark.parametrize("upsampling", ["transpose", "resize"])
def test_all_options_together(normalization, upsampling):
    both = {"normalization": normalization, "width": 0.1, "depth": 1}
    g_model = flexible.define_generator(
        5, (20, 24, 3), **both, output="sigmoid", upsampling=upsampling
    )
    d_model = flexible.define_discriminator((20, 24, 3), **both, dropout=0.2)
    images = g_model(np.zeros((2, 5), "float32"), training=True)
    assert d_model(images, training=True).shape == (2, 1)
