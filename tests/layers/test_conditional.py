"""Class-conditional GANs: their models, their step, their files."""

import json
from functools import partial
from pathlib import Path

import keras
import numpy as np
import pytest
from helpers import refused, slow
from PIL import Image
from small_gans import conditional_models, moved, real_images, weights

from celeba_gan import train as celeba
from cifar10_gan import train as cifar10
from common import generate
from common.basics.errors import UserError
from common.checkpoints import class_names, load_generator, save_models
from common.data.batches import RealBatches, StreamedBatches
from common.data.celeba import load_images as load_faces
from common.data.datasets import Images, Scaled
from common.fitting.build import make_gan
from common.sampling import class_grid, class_number, generate_images, with_labels
from mnist_gan import quick
from mnist_gan.train import main

CONDITIONS = ("concat", "hadamard", "classify")
SHAPE = (28, 28, 1)
RUN = Path("runs/mnist_gan/0001")
TINY = ["--data", "digits", "--steps-per-epoch", "2", "--batch-size", "8",
        "--preset", "quick", "--seed", "1"]  # fmt: skip


def new_gan(condition, objective="bce", wrong_labels=False, **own):
    return make_gan(*conditional_models(condition, objective), objective=objective,
                    wrong_labels=wrong_labels, **own)  # fmt: skip


def real_batch(gan, classes):
    """Return the real images and the classes of D's update of a step."""
    images = real_images(len(classes))
    labels = np.array(classes, "int32")[:, None]
    (batch,) = gan.real_batches((keras.ops.array(images), keras.ops.array(labels)))
    return batch


@pytest.mark.parametrize(  # all combinations are in test_extensions
    "condition, objective",
    [("concat", "wgan-gp"), ("hadamard", "r3gan"), ("classify", "hinge"),
     ("dense", "bce")],
)  # fmt: skip
def test_each_step_moves_its_own_side_only(condition, objective):
    gan = new_gan(condition, objective)
    x_real = real_batch(gan, [0, 1, 2, 3])
    kept = weights(gan.g_model)
    assert moved(gan.d_model, lambda: gan.train_d(x_real)) > 0
    assert np.array_equal(weights(gan.g_model), kept)
    kept = weights(gan.d_model)
    assert moved(gan.g_model, lambda: gan.train_g(x_real)) > 0
    assert np.array_equal(weights(gan.d_model), kept)


@pytest.mark.slow
def test_both_sides_learn_in_mixed_precision(condition="hadamard"):
    keras.config.set_dtype_policy("mixed_bfloat16")
    gan = new_gan(condition)
    data = keras.ops.array(real_images(4)), np.array([[0], [1], [2], [3]], "int32")
    before = weights(gan.g_model), weights(gan.d_model)
    gan.fit(*data, batch_size=4, epochs=8, verbose=0)  # float16 skips the first steps
    after = weights(gan.g_model), weights(gan.d_model)
    assert np.isfinite(np.concatenate(after)).all()
    assert all(np.any(a != b) for a, b in zip(after, before, strict=True))


@pytest.mark.parametrize("condition", [*CONDITIONS, "dense"])
def test_only_the_classes_that_were_seen_move(condition):
    gan = new_gan(condition)
    tables = [w for m in (gan.g_model, gan.d_model) for w in m.weights
              if w.path.endswith("embeddings")]  # fmt: skip
    before = [t.numpy() for t in tables]
    x_real = real_batch(gan, [2, 2, 5, 5])
    gan.train_d(x_real)
    gan.train_g(x_real)
    for table, old in zip(tables, before, strict=True):
        changed = np.flatnonzero(np.abs(table.numpy() - old).max(1) > 0)
        assert changed.tolist() == [2, 5]
    n_tables = {"concat": 2, "hadamard": 2, "classify": 1, "dense": 0}
    assert len(tables) == n_tables[condition]


@pytest.mark.parametrize(
    "condition", ["hadamard", "classify", slow("concat"), slow("dense")]
)
def test_the_same_point_gives_another_image_for_another_class(condition):
    g_model, d_model, _ = conditional_models(condition)
    z = np.ones((1, 6), "float32")
    one, other = (generate_images(g_model, z, [label]) for label in (3, 4))
    assert one.shape == (1, 28, 28, 1) and np.abs(one - other).max() > 1e-4
    images = real_images(2)
    outputs = [d_model.predict(with_labels(images, [k, k]), verbose=0) for k in (3, 4)]
    differ = np.abs(outputs[0] - outputs[1]).max() > 0
    assert differ == (condition != "classify")


def test_projection_adds_the_product_of_features_and_class_before_the_sigmoid():
    _, d_model, _ = conditional_models("hadamard")
    images, labels = real_images(3), np.array([1, 7, 7])
    features = d_model.get_layer("features").predict(images, verbose=0)
    (table,) = [w.numpy() for w in d_model.weights if w.path.endswith("embeddings")]
    last = next(x for x in d_model.layers if isinstance(x, keras.layers.Dense))
    score = features @ last.kernel.numpy() + last.bias.numpy()
    score[:, 0] += np.sum(features * table[labels], axis=1)
    outputs = d_model.predict(with_labels(images, labels), verbose=0)
    np.testing.assert_allclose(outputs, 1 / (1 + np.exp(-score)), rtol=1e-4)


def test_a_classifying_discriminators_loss_has_the_classes_cross_entropy():
    gan = new_gan("classify")
    x_real = real_batch(gan, [1, 7, 7, 0])
    d_model, (images, gan.current.classes) = gan.d_model, x_real
    features = d_model.get_layer("features").predict(images, verbose=0)
    guess = d_model.get_layer("guess")
    logits = features @ guess.kernel.numpy() + guess.bias.numpy()
    logits -= np.log(np.exp(logits).sum(1, keepdims=True))
    named = -logits[np.arange(4), [1, 7, 7, 0]].mean()
    outputs = d_model.predict(with_labels(images, [1, 7, 7, 0]), verbose=0)
    expected = named - np.log(outputs).mean()
    found = gan.d_loss(images, images[:0])
    np.testing.assert_allclose(float(found), expected, rtol=1e-3)


def test_fakes_have_the_classes_of_the_real_images():
    gan = new_gan("concat")
    gan.train_d(real_batch(gan, [4, 9]))
    for n in (2, 4):  # of D's update, of G's
        _, classes = gan.model_inputs(np.zeros((n, 6), "float32"))
        assert np.array(classes)[:, 0].tolist() == [4, 9] * (n // 2)


def test_a_wrong_class_is_never_the_right_one_and_counts_as_fake():
    gan, seen = new_gan("concat", wrong_labels=True), []
    labelled = gan.labelled_batch
    gan.labelled_batch = lambda *images: seen.append(labelled(*images)) or seen[-1]
    for _ in range(20):
        gan.train_d(real_batch(gan, [0, 3, 9]))
    for (images, classes), labels, weight in seen:
        real, fake, wrong = np.array_split(np.array(classes)[:, 0], 3)
        assert real.tolist() == fake.tolist() == [0, 3, 9]
        assert np.all(wrong != real) and wrong.min() >= 0 and wrong.max() <= 9
        assert np.array(labels)[:, 0].tolist() == [1] * 3 + [0] * 6
        assert np.array_equal(images[:3], images[6:])
        np.testing.assert_allclose(weight, [1.5] * 3 + [0.75] * 6)
    assert len({np.array(classes)[6, 0] for (_, classes), _, _ in seen}) > 3


@pytest.mark.parametrize("batches", [RealBatches, StreamedBatches])
def test_a_batch_holds_the_class_of_each_image(batches):
    pixels = np.arange(90, dtype="uint8").reshape(90, 1, 1, 1)
    dataset = Scaled(pixels, lambda x: x.astype("float32"), np.arange(90) // 3)
    dataset.chunk_rows = 7
    for i in range(20):
        images, labels = batches(dataset, 8, seed=3)[i]
        assert labels.shape == (8, 1) and labels.dtype == np.int32
        assert np.array_equal(images.ravel() // 3, labels.ravel())


def test_a_grid_has_a_row_for_each_class_and_a_point_for_each_column():
    z, labels = class_grid(5, 3, columns=4, rng=np.random.default_rng(0))
    assert labels.ravel().tolist() == [0] * 4 + [1] * 4 + [2] * 4
    for row in (1, 2):
        assert np.array_equal(z[:4], z[4 * row : 4 * row + 4])
    assert len(np.unique(z[:4, 0])) == 4


@pytest.mark.slow
def test_a_file_alone_draws_a_class_by_its_name(monkeypatch, capsys):
    from mnist_gan import train

    def fashion(data):
        rng = np.random.default_rng(0)
        names = (*"abcdefghi", "ankle boot")
        pixels = rng.integers(0, 255, (64, *SHAPE), "uint8")
        return Images(pixels, np.arange(64) % 10, "mine", "drawn", classes=names)

    monkeypatch.setattr(train, "load_images", fashion)
    main([*TINY, "--conditional", "--epochs", "1"])
    path = RUN / "generator_model_001.h5"
    g_model, latent_dim, _ = load_generator(path)
    assert class_names(path, 10)[9] == "ankle boot"
    path.rename("alone.h5")
    words = ["alone.h5", "--seed", "3", "-n", "4"]
    generate.main([*words, "--label", "ankle boot", "--images", "boots"])
    generate.main([*words, "--label", "9", "--images", "nines"])
    generate.main([*words, "--label", "a", "--images", "letters"])
    boots, nines, letters = (
        np.stack([np.asarray(Image.open(f"{folder}/000{i}.png")) for i in range(4)])
        for folder in ("boots", "nines", "letters")
    )
    assert np.array_equal(boots, nines) and not np.array_equal(boots, letters)
    z = np.random.default_rng(3).standard_normal((4, latent_dim)).astype("float32")
    expected = np.round(generate_images(g_model, z, [9] * 4)[..., 0] * 255)
    np.testing.assert_allclose(boots, expected, atol=1)
    generate.main(["alone.h5", "--grid-by-class", "-n", "3", "--out", "grid.png"])
    with Image.open("grid.png") as picture:
        assert picture.height > 3 * picture.width  # ten rows of three
    message = refused(capsys, generate.main, "alone.h5", "--label", "cat")
    assert "ankle boot" in message


def save_faces(folder, n=64):
    """Pictures named 00.png, 01.png, ...: the odd ones are bright."""
    Path(folder).mkdir(parents=True)
    for i in range(n):
        grey = np.full((40, 40, 3), 200 if i % 2 else 50, "uint8")
        Image.fromarray(grey).save(f"{folder}/{i:02d}.png")


def trained_names(script, *words):
    """Train for two steps on the command line; the classes in the saved generator."""
    shape = ["--preset", "quick", "--steps-per-epoch", "2", "--batch-size", "8"]
    script.main([*words, *shape, "--epochs", "1", "--conditional", "--run-dir", "run"])
    generate.main(["run/generator_model_001.h5", "--grid-by-class", "-n", "2"])
    return class_names("run/generator_model_001.h5", 2)


@pytest.mark.slow
def test_photographs_are_drawn_by_name():
    cifar10.main(["--dry-run", "--conditional", "--run-dir", "run"])
    path = "run/generator_model_001.h5"
    assert class_names(path, 10)[8] == "star"
    generate.main([path, "--label", "star", "-n", "1", "--out", "star.png"])
    assert Image.open("star.png").size > (32, 32)


@pytest.mark.slow
def test_subfolders_are_classes():
    save_faces("own/dark", 32)
    save_faces("own/light", 32)
    words = ["--data", "own", "--size", "32"]
    assert trained_names(celeba, *words, "--condition", "hadamard") == ("dark", "light")
    options = json.loads(Path("run/options.json").read_text())["options"]
    assert options["conditional"] is True and options["condition"] == "hadamard"


@pytest.mark.slow
def test_an_attribute_is_a_class(capsys):
    """CelebA's table lies beside the folder of faces, where it is found."""
    save_faces("celeba/img_align_celeba")
    words = ["--data", "celeba/img_align_celeba", "--size", "32"]
    rows = [
        f"{i:02d}.png {-1 if i % 2 else 1:2d} {1 if i % 2 else -1:2d}" for i in range(64)
    ]
    with_attribute = ["--conditional", "--attribute", "Bright"]
    message = refused(capsys, celeba.main, *words, *with_attribute)
    assert "without attributes" in message and not Path("run").exists()
    table = Path("celeba/list_attr_celeba.txt")
    table.write_text("\n".join(["64", "Bald Bright", *rows]) + "\n")
    message = refused(capsys, celeba.main, *words, "--conditional", "--attribute", "Blue")
    assert "Bald, Bright" in message
    images = load_faces("celeba/img_align_celeba", 32, attribute="Bright")
    bright = images.pixels.mean((1, 2, 3)) > 100
    assert images.labels.tolist() == bright.astype(int).tolist()
    table.write_text(table.read_text().replace(" 1 -1", "-1 -1"))
    message = refused(capsys, celeba.main, *words, "--conditional", "--attribute", "Bald")
    assert "none of the pictures" in message
    names = trained_names(celeba, *words, "--attribute", "Bright")
    assert names == ("not Bright", "Bright")


def test_a_generator_without_classes_is_told_none(capsys):
    path = "generator.h5"
    quick.define_generator(8).save(path)
    for words in (["--label", "7"], ["--grid-by-class"]):
        assert "--conditional" in refused(capsys, generate.main, path, *words)


def test_a_discriminator_of_other_classes_gives_no_verdict(capsys):
    for n, run in ((10, "ten"), (2, "two")):
        g_model, d_model, _ = conditional_models("classify", n_classes=n)
        Path(run).mkdir()
        save_models(run, 1, g_model, d_model, tuple(map(str, range(n))))
    words = ["ten/generator_model_001.h5", "-n", "4", "--discriminator"]
    message = refused(capsys, generate.main, *words, "two/discriminator_model_001.h5")
    assert "number of classes is 2, the generator's is 10" in message
    generate.main([*words, "ten/discriminator_model_001.h5", "--out", "grid.png"])


def test_a_number_is_a_name_where_names_are_numbers():
    names = ("10", "7", "x")
    assert class_number("--label", "7", names) == 1
    with pytest.raises(UserError, match="no such class"):
        class_number("--label", "2", names)
    assert class_number("--label", "2", ("a", "b", "c")) == 2


def test_a_second_input_that_is_no_class_is_told(capsys):
    inputs = [keras.Input((6,)), keras.Input((6,))]
    x = keras.layers.Dense(784)(keras.layers.Add()(inputs))
    keras.Model(inputs, keras.layers.Reshape(SHAPE)(x)).save("two.keras")
    assert "no input of the" in refused(capsys, generate.main, "two.keras")


@pytest.mark.parametrize("words", [["--conditional"], ["--preset", "best"]])
def test_images_without_classes_are_refused(capsys, words):
    np.savez("plain.npz", x_train=np.zeros((64, 28, 28), "uint8"))
    message = refused(capsys, main, "--data", "plain.npz", *words)
    assert "no classes" in message and "or its preset" in message
    assert not Path("runs").exists()


@pytest.mark.parametrize("condition", CONDITIONS)
def test_models_are_those_of_the_folder_with_a_class_beside(condition):
    g_model, d_model, gan_model = conditional_models(condition)
    assert [t.name for t in g_model.inputs] == ["point", "class"]
    assert [t.name for t in d_model.inputs] == ["image", "class"]
    assert gan_model.output_shape == (None, 1)
    plain = quick.define_discriminator().count_params()
    extra = {
        "concat": 10 * 50 + 51 * 784 + 4 * 4 * 32,  # embedding, plane, one channel more
        "hadamard": 10 * 2048,
        "classify": 2048 * 10 + 10,
    }
    assert d_model.count_params() - plain == extra[condition]
    start = partial(quick.define_generator, 6 + (50 if condition == "concat" else 0))
    table = 10 * (50 if condition == "concat" else 6)
    assert g_model.count_params() == start().count_params() + table
