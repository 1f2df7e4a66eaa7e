"""The features of scores: Inception, and classifiers with their training."""

import json
import os

import h5py
import keras
import numpy as np
import pytest
import tensorflow as tf
from helpers import make_quick, refused
from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

from common.basics.errors import UserError
from common.data.mnist import load_images
from common.scores import classifier
from common.scores.classifier import make_datasets, rotate_images
from common.scores.features import choose_features, extract_all
from common.scores.references import load_reference

DATA_DIR = os.environ.get("GAN_DATA_DIR")
POOLED, CLASSES = 12, 5  # of the small graph


def colours(n, side=6, channels=3):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (n, side, side, channels), "uint8")


# The graph of 2015


def write_graph(path, weights):
    """Write a graph with the names and the batch size 1 of the real one."""
    v1 = tf.compat.v1
    with tf.Graph().as_default() as graph:
        image = v1.placeholder(tf.uint8, (None, None, 3), name="DecodeJpeg")
        cast = v1.cast(image, tf.float32, name="Cast")
        batch = tf.expand_dims(cast, 0, name="ExpandDims")  # here it gets the 1
        resized = v1.image.resize_bilinear(batch, (4, 4), name="ResizeBilinear")
        scaled = tf.multiply(tf.subtract(resized, 128, name="Sub"), 1 / 128, name="Mul")
        corners = [scaled[:, i : i + 2, j : j + 2] for i in (0, 2) for j in (0, 2)]
        means = [tf.reduce_mean(corner, (1, 2), keepdims=True) for corner in corners]
        tf.concat(means, axis=-1, name="pool_3")
        pool = graph.get_tensor_by_name("pool_3:0")
        assert pool.shape == (1, 1, 1, POOLED)
        flat = tf.reshape(pool, [1, POOLED], name="pool_3/_reshape")
        w = tf.constant(weights, name="softmax/weights")
        logits = tf.matmul(flat, w, name="softmax/logits/MatMul")
        logits = tf.add(logits, [0, 0, 0, 0, 9.0], name="softmax/logits")  # the bias
        tf.nn.softmax(logits, name="softmax")
    path.write_bytes(graph.as_graph_def().SerializeToString())


def by_numpy(pixels, weights):
    """Compute both of 8x8 images; TF 1 halves them by taking every second pixel."""
    small = (np.broadcast_to(pixels, (*pixels.shape[:3], 3))[:, ::2, ::2] - 128.0) / 128
    blocks = small.reshape(-1, 2, 2, 2, 2, 3).mean((2, 4))  # row and column of the block
    pool = blocks.reshape(-1, POOLED)
    powers = np.exp(pool @ weights)
    return pool, powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("channels", [1, 3])
def test_graph_of_2015_sees_batches_of_many_and_classes_without_bias(tmp_path, channels):
    weights = np.random.default_rng(0).standard_normal((POOLED, CLASSES)).astype("f4")
    path = tmp_path / "graph.pb"
    write_graph(path, weights)
    features = choose_features(str(path), None, None)
    assert features.name == "inception-2015" and len(features.digest) == 12
    assert (features.accuracy, features.classes) == (None, ())
    pixels = colours(601, side=8, channels=channels)  # two parts, of batches of 50 and 1
    seen, probabilities = extract_all(features, pixels)
    assert (seen.dtype, probabilities.dtype) == ("float64", "float32")
    expected = by_numpy(pixels, weights)
    np.testing.assert_allclose(seen, expected[0], atol=1e-5)
    np.testing.assert_allclose(probabilities, expected[1], atol=1e-5)


def test_another_graph_has_another_digest(tmp_path):
    digests = set()
    for i in range(2):
        path = tmp_path / f"{i}.pb"
        write_graph(path, np.full((POOLED, CLASSES), i, "f4"))
        digests.add(choose_features(str(path), None, None).digest)
    assert len(digests) == 2


def other_graph(path):
    with tf.Graph().as_default() as graph:
        tf.constant(1, name="ExpandDims")
    path.write_bytes(graph.as_graph_def().SerializeToString())


BAD_FILES = {
    "text as a graph": ("a.pb", lambda p: p.write_text("hello"), "classify_image"),
    "nothing as a graph": ("a.pb", lambda p: p.touch(), "classify_image"),
    "another graph": ("a.pb", other_graph, "not the Inception network expected"),
    "no graph": ("a.pb", lambda p: None, "inception-2015-12-05.tgz"),
    "no weights": ("a.h5", lambda p: None, "tf_kernels.h5 (92 MB)"),
    "text as weights": ("a.h5", lambda p: p.write_text("hello"), "tf_kernels.h5 (92 MB)"),
    "a folder": ("a.h5", lambda p: p.mkdir(), "there is no file"),
    "another ending": ("a.txt", lambda p: p.touch(), "weights of keras-inception .h5"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_files_that_are_no_network_get_a_message_with_the_download(tmp_path, case):
    name, make, expected = BAD_FILES[case]
    make(tmp_path / name)
    with pytest.raises(UserError) as error:
        choose_features(str(tmp_path / name), None, None)
    message = str(error.value)
    assert expected in message and name in message and "\n" not in message


# Keras's Inception


def test_weights_missing_in_kerass_cache_are_named_with_their_address(tmp_path):
    with pytest.raises(UserError) as error:
        choose_features("keras-inception", None, None)
    for text in (str(tmp_path / "keras/models/inception_v3"), "https://", "download"):
        assert text in str(error.value)


def test_weights_of_another_model_are_an_error(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(tmp_path / "a.h5")
    with pytest.raises(UserError, match="not the Inception network expected"):
        choose_features(str(tmp_path / "a.h5"), None, None)


@pytest.mark.slow
def test_kerass_inception_gives_2048_features_and_1000_classes(tmp_path):
    model = keras.applications.InceptionV3(weights=None)
    folder = tmp_path / "keras/models"
    folder.mkdir(parents=True)
    cached = folder / "inception_v3_weights_tf_dim_ordering_tf_kernels.h5"
    with h5py.File(cached, "w") as file:
        save_weights_to_hdf5_group(file, model)
    keras.config.set_dtype_policy("mixed_bfloat16")
    features = choose_features("keras-inception", None, None)
    assert features == choose_features(str(cached), None, None)._replace(
        extract=features.extract
    )
    assert (features.name, features.classes) == ("keras-inception", ())
    for channels in (1, 3):
        pixels = colours(3, side=40, channels=channels)
        seen, probabilities = extract_all(features, pixels)
        assert (seen.shape, probabilities.shape) == ((3, 2048), (3, 1000))
        np.testing.assert_allclose(probabilities.sum(1), 1, rtol=1e-5)
    large = tf.image.resize(pixels.astype("float32"), (299, 299), antialias=True)
    expected = model.predict(large / 127.5 - 1, verbose=0)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-3)


# The classifier


@pytest.fixture
def quick(monkeypatch):
    make_quick(monkeypatch)


def count_trainings(monkeypatch):
    trainings, train = [], classifier.train_classifier
    monkeypatch.setattr(
        classifier,
        "train_classifier",
        lambda *sets: trainings.append(keras.config.dtype_policy().name) or train(*sets),
    )
    return trainings


@pytest.mark.slow
def test_classifier_is_trained_once_in_float32_and_again_where_it_is_damaged(
    quick, monkeypatch, tmp_path
):
    trainings = count_trainings(monkeypatch)
    keras.config.set_dtype_policy("mixed_bfloat16")
    train, test = load_reference("digits")
    first = choose_features("classifier", train, test)
    assert trainings == ["float32"]
    assert keras.config.dtype_policy().name == "mixed_bfloat16"
    assert first.name == "digits-classifier" and first.resize == "none"
    assert first.classes == tuple("0123456789")
    seen, probabilities = extract_all(first, test.pixels)
    assert (seen.shape, probabilities.dtype) == ((297, 64), "float32")
    assert np.mean(probabilities.argmax(1) == test.labels) == pytest.approx(
        first.accuracy, abs=1e-4
    )
    assert first.accuracy > 0.7

    again = choose_features("classifier", train, test)
    assert len(trainings) == 1
    assert again == first._replace(extract=again.extract)
    np.testing.assert_array_equal(extract_all(again, test.pixels)[0], seen)

    (path,) = (tmp_path / "keras/classifiers").glob("*.keras")
    facts = json.loads(path.with_suffix(".json").read_text())
    assert (facts["accuracy"], facts["held_out"]) == (first.accuracy, 297)
    damages = {path: path.read_bytes()[:1000], path.with_suffix(".json"): b'{"accur'}
    for n_trainings, (file, content) in enumerate(damages.items(), 2):
        file.write_bytes(content)
        retrained = choose_features("classifier", train, test)
        assert len(trainings) == n_trainings
        assert retrained == first._replace(extract=retrained.extract)  # of the same seed


def test_a_classifier_of_colours_is_read_again_and_one_without_facts_is_not(tmp_path):
    path, facts = tmp_path / "c.keras", tmp_path / "c.json"
    model = classifier.define_classifier((8, 8, 3), 3, flip=True)
    model.save(path)
    saved = {"accuracy": 0.9, "held_out": 10, "classes": ["a", "b", "c"]}
    facts.write_text(json.dumps(saved))
    again, known = classifier.read_classifier(path)
    assert known == saved
    for one, other in zip(model.weights, again.weights, strict=True):
        np.testing.assert_array_equal(one, other)
    facts.write_text("{}")
    assert classifier.read_classifier(path) is None


def test_without_a_test_set_every_tenth_image_is_held_out():
    train = load_images("digits")
    (x, y), (x_test, y_test) = make_datasets(train, None)
    np.testing.assert_array_equal(x_test, train.pixels[::10])
    np.testing.assert_array_equal(y_test, train.labels[::10])
    assert (len(x), len(y), len(x_test)) == (1350, 1350, 150)


def test_rotated_images_turn_back():
    pixels = colours(30)
    x, y = rotate_images(pixels)
    assert x.shape == (120, *pixels.shape[1:])
    for image, turns, original in zip(x, y, np.tile(pixels, (4, 1, 1, 1)), strict=True):
        np.testing.assert_array_equal(np.rot90(image, -turns), original)
    assert len(rotate_images(pixels, n_max=40)[0]) == 40


@pytest.mark.slow
def test_images_without_classes_give_features_of_rotations(quick):
    train, test = load_reference("digits")
    train, test = (images._replace(labels=None, classes=()) for images in (train, test))
    features = choose_features("classifier", train, test)
    assert features.name == "digits-rotations" and features.classes == ()
    assert features.accuracy > 0.5
    seen, probabilities = extract_all(features, test.pixels, np.arange(7))
    assert seen.shape == (7, 64) and probabilities is None


@pytest.mark.slow
def test_script_trains_and_prints_the_accuracy(quick, capsys):
    classifier.main(["digits"])
    output = capsys.readouterr().out
    assert "training a classifier of digits" in output
    assert "digits: accuracy " in output and "on 297 held-out images" in output
    assert "mnist" in refused(capsys, classifier.main, "digits", "mnist")
