"""`common/explore.py` on generators whose inside is known, built by hand."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import make_quick, refused, run_script, slow
from keras import layers
from known_generators import (
    MODEL,
    drawing,
    explore,
    files,
    paint,
    random_generator,
    save,
    told,
)
from PIL import Image

from common import checkpoints
from common.data.mnist import load_images
from common.explore import COMMANDS, main
from common.exploring import arithmetic, interpolate, traverse
from common.exploring.geometry import directions_of_weights
from common.exploring.subject import Subject
from mnist_gan import quick


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("keras")


@pytest.fixture
def read(monkeypatch, cache):
    """A classifier of the small digits, trained once for all of these tests."""
    monkeypatch.setenv("KERAS_HOME", str(cache))
    make_quick(monkeypatch)


@pytest.mark.parametrize(
    ("command", "made"),
    [
        slow("interpolate", ["grid.png", "loop.gif", "loop.mp4", "steps.png"]),
        slow("arithmetic", ["contact_sheet.png", "seeds.png"]),
        ("traverse", ["traverse.png"]),
        slow("truncation", ["truncation.png"]),
        slow("dissect", ["switched.png", "units.csv", "units.png"]),
    ],
)
def test_a_command_needs_nothing_but_the_model(command, made, capsys):
    """The file names no images: what needs none is done, beside the model."""
    words = ["--masks", paint()] if command == "dissect" else []
    explore(command, save(drawing()), *words)
    assert files(f"generator_model_001_{command}") == made
    for name in made:
        if name.endswith(("png", "gif")):
            with Image.open(f"generator_model_001_{command}/{name}") as picture:
                picture.load()
                assert picture.width > 100 and len(picture.convert("L").getcolors()) > 1
    explore(command, MODEL, *words)  # nothing is overwritten
    again, first = (Path(f"generator_model_001_{command}{end}") for end in ("_2", ""))
    for name in made:
        assert (again / name).read_bytes() == (first / name).read_bytes(), name


def test_a_jump_stands_out_from_its_neighbours():
    hill = 1 + 9 * np.exp(-(((np.arange(60) - 20) / 8) ** 2))
    assert "at 34% of the way; sum" in interpolate.describe(hill)
    hill[45] = 20
    assert "at 76% of the way, a jump" in interpolate.describe(hill)


def test_an_interrupted_command_leaves_nothing(monkeypatch):
    def stop(*words, **keywords):
        raise KeyboardInterrupt

    monkeypatch.setattr(arithmetic, "save_captioned_grid", stop)
    save(drawing())
    with pytest.raises(SystemExit) as code:
        explore("arithmetic", MODEL)
    assert code.value.code == 130 and files(".") == [str(MODEL)]


def test_directions_of_weights_are_of_the_first_layer(capsys):
    """Of all numbers of a point, two do something: the first two directions."""
    explore("traverse", save(drawing()), "--of", "weights", "-n", "3")
    said = capsys.readouterr().out.splitlines()
    shares = [line.split()[2] for line in said if line.startswith(">direction")]
    assert shares == ["62%", "38%", "0%"]  # of 16 and of 10 pixels
    assert said[-2].startswith(">20 random directions")


def test_of_a_layer_with_its_activation_the_weights_count_alone():
    model = random_generator(4)  # tanh stands in its first layer
    subject = Subject(save(model))
    options = type("", (), {"label": None})
    directions, shares = traverse.of_weights(subject, options)
    expected = directions_of_weights(model.layers[0].get_weights()[0])
    np.testing.assert_allclose(directions, expected[0], atol=1e-4)
    np.testing.assert_allclose(shares, expected[1], atol=1e-5)


def test_of_classes_the_weights_are_those_of_this_class():
    model = told(4)
    codes = next(x for x in model.layers if isinstance(x, layers.Embedding))
    codes.set_weights([np.float32([[1, 1, 1, 1], [9, 1, 1, 1], [1, 1, 1, 9]])])
    subject = Subject(save(model))
    for label, number in (("1", 0), ("2", 3)):
        directions, _ = traverse.of_weights(subject, type("", (), {"label": label}))
        assert np.abs(directions[0]).argmax() == number


@pytest.mark.slow
def test_the_classes_at_both_ends_are_those_that_were_asked_for():
    subject = Subject(save(told()))
    draw, codes = interpolate.drawer(subject, ["2", "0"], 2)
    points = np.stack([subject.point(3), subject.point(8)])
    expected = subject.draw(points, np.array([2, 0]))
    np.testing.assert_allclose(draw(points, codes), expected, atol=1e-6)
    explore("interpolate", MODEL, "--seeds", 3, 8, "--labels", 2, 0)


def test_picks_give_a_minus_b_plus_c(monkeypatch, capsys):
    """A bright square and a faint bar, less a faint square, plus a bright bar."""
    subject = Subject(save(drawing()))
    points = subject.latent_vectors(64, 0)
    by_square, by_bar = (np.argsort(points[:, i]) for i in (0, 1))
    a, b, c = by_square[-3:], by_square[:3], by_bar[-3:]
    saved, save_rows = [], arithmetic.save_rows
    monkeypatch.setattr(
        arithmetic, "save_rows", lambda *words: saved.append(words) or save_rows(*words)
    )
    explore("arithmetic", MODEL, "--a", *a, "--b", *b, "--c", *c)
    assert "arithmetic.png" in files("generator_model_001_arithmetic")
    point = points[a].mean(axis=0) - points[b].mean(axis=0) + points[c].mean(axis=0)
    expected = subject.draw(point[np.newaxis])[0]
    np.testing.assert_allclose(saved[0][0][-1][0], expected, atol=1e-6)
    explore("arithmetic", MODEL)
    assert "pick images" in capsys.readouterr().out


@pytest.mark.slow
def test_an_image_of_the_generator_finds_its_way_back(capsys):
    path = save(random_generator())
    subject = Subject(path)
    image = subject.draw(subject.latent_vectors(1, 99))[0, ..., 0]
    Image.fromarray(subject.to_bytes(image)).save("target.png")
    explore("project", path, "target.png", "--steps", 300, "--restarts", 4)
    said = capsys.readouterr().out
    best = float(said.split("best error ")[1].split(",")[0])
    by_chance = float(said.split("by chance ")[1].split()[0])
    assert best < 0.01 < 0.1 < by_chance  # a file's grey levels are 0.002 off
    folder = Path("generator_model_001_project")
    assert files(folder) == ["errors.png", "point.npy", "projection.png"]
    again = subject.draw(np.load(folder / "point.npy"))[0, ..., 0]
    assert np.sqrt(np.mean((again - image) ** 2)) < 0.01


def test_a_real_image_is_found_by_its_number_and_class(capsys):
    words = ["--data", "digits", "--steps", 20, "--restarts", 3]
    explore("project", save(told()), 5, *words, "--label", 1)
    assert "of the class 1: generate.py" in capsys.readouterr().out


@pytest.mark.slow
def test_psi_buys_certainty_with_variety(capsys, read):
    words = ["--data", "digits", "--psi", 0.1, 1, "-n", 60]
    explore("truncation", save(random_generator()), *words)
    said = capsys.readouterr().out
    shares = [int(line.split()[3].strip("%,")) for line in said.splitlines()
              if line.startswith(">psi")]  # fmt: skip
    assert shares[0] < shares[1] / 2 and said.count("confidence") == 2


@pytest.mark.slow
def test_a_collapsed_generator_has_twins(capsys, read):
    """All its images are nearly the same; of real ones, one in a hundred is a twin."""
    same = random_generator()
    same.layers[1].kernel.assign(1e-3 * same.layers[1].kernel)
    explore("diversity", save(same), "--data", "digits", "-n", 100)
    lines = [x for x in capsys.readouterr().out.splitlines() if x.startswith(">")]
    assert len(lines) == 2 and all("100% of 100 have another" in line for line in lines)
    assert files("generator_model_001_diversity") == ["distances.png", "pairs.png"]


@pytest.mark.slow
def test_the_file_names_its_images_and_the_classifier_is_used(capsys, read, monkeypatch):
    """As `train.py` leaves it, with nothing else at hand."""
    make_quick(monkeypatch)
    record = {
        "script": "mnist_gan/train.py",
        "options": {"data": "digits", "epochs": 1},
        "data": load_images("digits").describe(),
    }
    run = Path("run")
    run.mkdir()
    (run / "options.json").write_text(json.dumps(record))
    checkpoints.save_models(run, 1, drawing(), quick.define_discriminator())
    (run / "options.json").unlink()
    explore("dissect", run / MODEL, "-n", 20, "--units", 0)
    assert "confidence" in capsys.readouterr().out
    assert "classes.png" in files(run / "generator_model_001_dissect")
    header = (run / "generator_model_001_dissect/units.csv").read_text().splitlines()[0]
    assert "evidence of 9" in header
    explore("interpolate", run / MODEL)
    assert "straight, features" in capsys.readouterr().out
    explore("project", run / MODEL, 3, "--steps", 10)


WRONG = [
    (["interpolate", MODEL, "--seeds", 3], "name at least two"),
    (["interpolate", MODEL, "--labels", 1], "--conditional"),
    (["interpolate", "told.h5", "--labels", 1, 2], "2 classes for 3 seeds"),
    (["interpolate", "told.h5", "--labels", 7], "no such class"),
    (["traverse", MODEL, "--label", 1], "--conditional"),
    (["traverse", MODEL, "--reach", 0], "above 0"),
    (["arithmetic", MODEL, "--a", 1, "--b", 2], "for all three"),
    (["arithmetic", MODEL, "--a", 64, "--b", 2, "--c", 3], "at most 63"),
    (["dissect", MODEL, "--layer", "nose"], "shapes (14, 14, 3)"),
    (["dissect", MODEL, "--units", 3], "shapes has 3"),
    (["dissect", MODEL, "--concept", "soul"], "known are stroke"),
    (["dissect", MODEL, "--concept", "hole", "--run-dir", "empty"], "as chance"),
    (["dissect", MODEL, "--concept", "hole"], "twice as often as chance"),
    (["dissect", MODEL, "--masks", "."], "no .png files"),
    (["dissect", MODEL, "--masks", "black"], "is black"),
    (["dissect", "dense.h5"], "no layer that draws maps"),
    (["project", MODEL, "nowhere.png"], "is not a picture"),
    (["project", MODEL, 3], "by --data"),
    (["project", MODEL, 297, "--data", "digits"], "there are 297"),
    (["diversity", MODEL], "by --data"),
    (["diversity", MODEL, "--data", "cifar-10"], "was not found"),
    (["diversity", MODEL, "-n", 10], "at least 50"),
    (["truncation", MODEL, "--psi", "x"], "finite number"),
    (["truncation", "nothing.h5"], "nothing.h5"),
    (["truncation", "discriminator.h5"], "is a discriminator"),
    (["truncation"], "MODEL"),
    (["dream", MODEL], "dream"),
    ([], "name a command"),
    (["interpolate", "one.h5", "--seeds", 1, 4], "are opposite"),
    (["traverse", "nan.h5", "--of", "weights"], "no numbers"),
    (["interpolate", "nan.h5"], "no numbers"),
    (["dissect", "nan.h5"], "no numbers"),
    (["project", "nan.h5", "black/0.png"], "no numbers"),
    (["traverse", MODEL, "--run-dir", "black"], "not an empty folder"),
    (["traverse", MODEL, "--run-dir", "black/0.png/x"], "cannot make"),
]


def test_wrong_words_are_answered_in_one_sentence_and_leave_nothing(capsys):
    save(drawing())
    save(told(), "told.h5")
    save(random_generator(), "dense.h5")
    save(quick.define_discriminator(), "discriminator.h5")
    Path("black").mkdir()
    Image.fromarray(np.zeros((8, 8), "uint8")).save("black/0.png")
    save(random_generator(1), "one.h5")
    broken = told()
    broken.set_weights([np.nan * w for w in broken.get_weights()])
    save(broken, "nan.h5")
    Path("empty").mkdir()
    before = files(".")
    for words, sentence in WRONG:
        assert sentence in refused(capsys, main, *words), words
        assert files(".") == before, words


@pytest.mark.slow
def test_it_runs_by_its_path_and_each_command_says_what_to_look_for(capsys):
    save(drawing())
    answer = run_script("common/explore.py", "traverse", MODEL, "--seed", "4")
    assert answer.returncode == 0 and "saved traverse.png" in answer.stdout
    assert not answer.stderr
    for command in COMMANDS:
        with pytest.raises(SystemExit) as stop:
            main([command, "--help"])
        said = capsys.readouterr().out
        assert stop.value.code == 0 and "20" in said
        assert "look for" in said or "looks" in said, command
