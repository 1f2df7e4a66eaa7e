"""Units, concepts and split generators, on generators with known units."""

import csv
from pathlib import Path

import numpy as np
import pytest
from helpers import slow
from known_generators import (
    BAR,
    MODEL,
    SQUARE,
    conditional,
    explore,
    paint,
    save,
    shapes_generator,
)
from scipy.ndimage import gaussian_filter

from common.architectures import resnet
from common.exploring import units
from common.exploring.concepts import (
    find_concepts,
    fixed_concepts,
    occlusion_evidence,
    stroke_concepts,
)
from common.exploring.layers import feature_map_layers, first_block, layer_chain, split
from common.exploring.subject import Subject
from common.layers.conditional import conditional_generator
from common.sampling import generate_images
from mnist_gan import conditional_dense, quick


def test_the_unit_that_draws_a_shape_is_found_and_without_it_the_shape_is_gone(capsys):
    explore("dissect", save(shapes_generator()), "--masks", paint(), "--top", "0.08",
            "--concept", "window")  # fmt: skip
    folder = Path("generator_model_001_dissect")
    with (folder / "units.csv").open() as lines:
        rows = list(csv.DictReader(lines))
    ious = [float(row["window"]) for row in rows]
    assert ious[0] > 0.5 and ious[1] == ious[2] == 0  # its edges blur when enlarged
    printed = capsys.readouterr().out
    assert "ablated and forced for window:\n>unit 0, IoU: window" in printed

    subject = Subject(MODEL)
    head, tail = split(subject.g_model, feature_map_layers(subject.g_model)["shapes"][0])
    maps = generate_images(head, subject.latent_vectors(30, 0))
    versions = units.intervene(tail, maps, [0], np.float32([0.5, 0.5, 0.5]), seed=0)
    window = np.kron(SQUARE, np.ones((2, 2))) > 0
    unchanged, ablated = versions["unchanged"][..., 0], versions["ablated"][..., 0]
    assert unchanged[:, window].min() > 0.9 and ablated[:, window].max() < 0.01
    np.testing.assert_array_equal(unchanged[:, ~window], ablated[:, ~window])
    assert versions["forced"].min() > 0.9  # everywhere
    mask = np.broadcast_to(window, unchanged.shape)
    effects = units.measure_effects(subject, versions, mask)
    share = {name: found["share of stroke"] for name, found in effects.items()}
    n_bar = 4 * BAR.sum() / 784
    assert share["unchanged"] == pytest.approx(window.mean() + n_bar)
    assert share["ablated"] == pytest.approx(n_bar) and share["forced"] == 1
    numbers = effects["ablated"]
    assert numbers["change inside"] > 0.9 and numbers["change outside"] == 0


def test_what_a_unit_has_by_chance_is_no_job():
    """Maps that are independent of the images, with strokes and a fixed area."""
    rng = np.random.default_rng(0)
    maps = gaussian_filter(rng.standard_normal((60, 14, 14, 8)), (0, 2, 2, 0))
    stroke = gaussian_filter(rng.standard_normal((60, 28, 28)), (0, 3, 3)) > 0.05
    top = np.zeros((28, 28), bool)
    top[:9] = True
    concepts = {"stroke": stroke, "top": np.broadcast_to(top, stroke.shape)}
    concepts["own"] = units.upsample(maps[..., [0]], (28, 28))[..., 0] > 0.2
    thresholds = units.activation_thresholds(maps.astype("float32"), 0.1, (28, 28))
    ious, chance = units.score_units(maps, thresholds, concepts, {"top"}, seed=0)
    assert (ious[:, 1] < 2 * chance[:, 1]).all() and (chance > 0).all()
    np.testing.assert_allclose(ious[:, 0] / chance[:, 0], 1, atol=0.6)
    assert ious[0, 2] > 3 * chance[0, 2] and (ious[1:, 2] < 2 * chance[1:, 2]).all()


def test_what_is_named_in_a_drawing():
    ring = np.zeros((1, 28, 28, 1))
    ring[0, 4:12, 4:12] = 1
    ring[0, 6:10, 6:10] = 0
    bars = np.zeros((1, 28, 28, 1))
    bars[0, 13:15, 2:26] = 1
    found = stroke_concepts(np.concatenate([ring, bars, bars.swapaxes(1, 2)]))
    assert found["hole"][0].sum() == 16 and not found["hole"][1:].any()
    assert found["horizontal stroke"][1, 13:15, 5:23].all()
    assert not found["vertical stroke"][1, 13:15, 5:23].any()
    assert found["vertical stroke"][2, 5:23, 13:15].all()


def test_evidence_is_what_the_reading_depends_on(monkeypatch):
    """A classifier that depends on the upper left corner only."""

    class Corner:
        low, real_classes = 0, ("dark", "light")

        def probabilities(self, images):
            light = np.clip(images[:, :8, :8].mean(axis=(1, 2, 3)), 0.01, 0.99)
            return np.stack([1 - light, light], axis=1)

    images = np.full((3, 28, 28, 1), 0.9, "float32")
    images[2] = 0
    found = occlusion_evidence(Corner(), images)
    light, dark = found["evidence of light"], found["evidence of dark"]
    assert light[:2, :8, :8].mean() > 0.9 and not light[:, 16:, 16:].any()
    assert not light[2].any() and not dark.any()  # occlusion does not change black


@pytest.mark.parametrize(
    "make",
    [
        slow(lambda: quick.define_generator(5)),
        lambda: resnet.define_generator(5, (8, 8, 3), n_filters=4),
        slow(conditional),
        lambda: conditional_generator(quick.define_generator, 5, 3, "concat"),
        slow(lambda: conditional_dense.define_generator(5, 3)),
    ],
)
def test_a_generator_taken_apart_draws_the_same(make):
    g_model = make()
    vectors = np.random.default_rng(0).standard_normal((7, 5)).astype("float32")
    labels = np.arange(7) % 3
    whole = generate_images(g_model, vectors, labels)
    n_layers = len(layer_chain(g_model)[1])
    inner = {first_block(g_model)[0], first_block(g_model)[1], n_layers - 2}
    for index in inner:
        head, tail = split(g_model, index)
        parts = tail.predict(generate_images(head, vectors, labels), verbose=0)
        np.testing.assert_allclose(parts, whole, atol=1e-6)


@pytest.mark.slow
def test_faces_have_regions_even_where_there_are_no_images_of_them():
    subject = Subject(save(resnet.define_generator(5, (64, 64, 3), n_filters=4)))
    subject.origin = {
        "script": "celeba_gan/train.py",
        "options": {"data": "/nowhere", "size": 64},
        "data": {"name": "img_align_celeba", "fingerprint": "", "source": "/nowhere"},
    }
    images = subject.generate(subject.latent_vectors(2, 0))
    found = find_concepts(subject, images, fixed_concepts(subject))
    assert found["mouth"].shape == (2, 64, 64)
    rows = np.flatnonzero(found["mouth"][0].any(axis=1))
    assert 48 < rows.min() < rows.max() < 62
