"""Every source of images, with small files made here; every way a file can be wrong."""

import gzip
import shutil
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from common.basics.errors import UserError
from common.data import datasets, mnist
from mnist_gan import load_data

PIXELS = np.random.default_rng(0).integers(0, 256, (12, 28, 28)).astype(np.uint8)
LABELS = np.arange(12, dtype=np.uint8) % 10


def idx_bytes(array):
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return struct.pack(">HBB", 0, 8, array.ndim) + sizes + array.tobytes()


def write_idx(folder, zipped=False):
    folder.mkdir(parents=True)
    for part in ("train", "t10k"):
        for kind, array in (("images-idx3", PIXELS), ("labels-idx1", LABELS)):
            content = idx_bytes(array)
            path = folder / f"{part}-{kind}-ubyte{'.gz' if zipped else ''}"
            path.write_bytes(gzip.compress(content) if zipped else content)
    return folder


def write_npz(path, **arrays):
    path.parent.mkdir(parents=True, exist_ok=True)
    np.savez(path, **arrays)
    return path


def whole_set():
    names = ("x_train", "y_train", "x_test", "y_test")
    return dict(zip(names, (PIXELS, LABELS) * 2, strict=True))


def assert_is_the_set(images):
    assert np.array_equal(images.pixels[..., 0], PIXELS)
    assert np.array_equal(images.labels, LABELS)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_data_dir_with_npz(tmp_path, monkeypatch, name, split):
    write_npz(tmp_path / "data" / name / f"{name}.npz", **whole_set())
    monkeypatch.setenv("GAN_DATA_DIR", str(tmp_path / "data"))
    images = mnist.load_images(name, split)
    assert_is_the_set(images)
    assert images.name == name and not images.notice


@pytest.mark.parametrize("zipped", [False, True])
def test_data_dir_with_idx_files(tmp_path, monkeypatch, zipped):
    write_idx(tmp_path / "data" / "mnist", zipped)
    monkeypatch.setenv("GAN_DATA_DIR", str(tmp_path / "data"))
    assert_is_the_set(mnist.load_images("auto"))


def test_keras_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    write_npz(tmp_path / "home" / "datasets" / "mnist.npz", **whole_set())
    write_idx(tmp_path / "home" / "datasets" / "fashion-mnist", zipped=True)
    assert_is_the_set(mnist.load_images("mnist"))
    assert_is_the_set(mnist.load_images("fashion-mnist"))


def test_data_dir_comes_before_the_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_DATA_DIR", str(tmp_path / "data"))
    write_npz(tmp_path / "keras" / "datasets" / "mnist.npz", x_train=PIXELS[:3])
    write_npz(tmp_path / "data" / "mnist" / "mnist.npz", **whole_set())
    assert_is_the_set(mnist.load_images("auto"))


def test_without_mnist_auto_takes_the_digits_and_says_so(capsys):
    images = mnist.load_images("auto")
    assert images.name == "digits" and images.pixels.shape == (1500, 28, 28, 1)
    datasets.show_notice(images)
    assert "THIS IS NOT MNIST" in capsys.readouterr().out


def test_without_mnist_asking_for_it_fails():
    with pytest.raises(UserError, match="GAN_DATA_DIR"):
        mnist.load_images("mnist")


def test_digits_have_all_classes_and_full_contrast():
    train, test = (mnist.load_images("digits", split) for split in ("train", "test"))
    assert len(train.pixels) + len(test.pixels) == 1797
    assert set(train.labels) == set(test.labels) == set(range(10))
    assert train.pixels.max() == 255 and not train.notice
    assert (train.pixels[:, :4] == 0).all()


@pytest.mark.parametrize(
    "header", ["", "\ufeff", "label," + ",".join(map(str, range(784))) + "\n"]
)
def test_csv_of_label_and_pixels(tmp_path, header):
    rows = np.column_stack([LABELS, PIXELS.reshape(12, -1)])
    lines = "\n".join(",".join(map(str, row)) for row in rows)
    (tmp_path / "digits.csv").write_text(header + lines + "\n")
    assert_is_the_set(mnist.load_images(str(tmp_path / "digits.csv")))


def test_folder_of_idx_files_and_npz_of_one_array(tmp_path):
    assert_is_the_set(mnist.load_images(str(write_idx(tmp_path / "mine"))))
    path = write_npz(tmp_path / "mine.npz", pictures=PIXELS[..., None] / 255)
    assert np.array_equal(mnist.load_images(str(path)).pixels[..., 0], PIXELS)


def test_black_and_white_images_keep_their_contrast(tmp_path):
    path = write_npz(tmp_path / "bits.npz", x_train=(PIXELS > 127).astype(np.uint8))
    assert set(mnist.load_images(str(path)).pixels.ravel()) == {0, 255}


def test_a_wrong_data_dir_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="GAN_DATA_DIR"):
        mnist.load_images("auto")


def test_loaded_samples_are_float32_in_0_1(tmp_path):
    path = write_npz(tmp_path / "set.npz", **whole_set())
    dataset = load_data.load_real_samples(str(path))
    assert dataset.shape == (12, 28, 28, 1) and dataset.dtype == np.float32
    np.testing.assert_allclose(dataset[..., 0], PIXELS / 255, atol=1e-6)


def test_fingerprint_tells_sets_apart():
    one = mnist.validated_images(PIXELS, None, "a", "here")
    other = PIXELS.copy()
    other[3, 4, 5] ^= 1
    two = mnist.validated_images(other, None, "a", "here")
    assert one.describe()["fingerprint"] == one.describe()["fingerprint"]
    assert one.describe()["fingerprint"] != two.describe()["fingerprint"]


def wrong_arrays():
    with_nan = PIXELS / 255
    with_nan[0, 0, 0] = np.nan
    return {
        "empty": PIXELS[:0],
        "wrong size": PIXELS[:, :27],
        "colour": np.stack([PIXELS] * 3, -1),
        "flat": PIXELS.reshape(12, -1),
        "scalar": np.array(3),
        "negative": PIXELS / 127.5 - 1,
        "too large": PIXELS.astype(int) * 2,
        "not a number": with_nan,
        "text": PIXELS.astype(str),
        "complex": PIXELS * 1j,
        "yes and no": PIXELS > 100,
    }


@pytest.mark.parametrize("wrong", wrong_arrays())
def test_wrong_arrays_are_refused(tmp_path, wrong):
    path = write_npz(tmp_path / "wrong.npz", x_train=wrong_arrays()[wrong])
    with pytest.raises(UserError, match=r"wrong\.npz"):
        mnist.load_images(str(path))


def test_pickled_arrays_are_refused_and_not_run(tmp_path):
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "ran",))

    path = write_npz(tmp_path / "evil.npz", x_train=np.array([Evil()], dtype=object))
    with pytest.raises(UserError):
        mnist.load_images(str(path))
    assert not (tmp_path / "ran").exists()


def cut(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(len(content) * share)])
    return path


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_files_that_are_cut_off_are_refused(tmp_path, share):
    plain, zipped = write_idx(tmp_path / "idx"), write_idx(tmp_path / "gz", zipped=True)
    cut(plain / "train-images-idx3-ubyte", share)
    cut(zipped / "train-images-idx3-ubyte.gz", share)
    npz = cut(write_npz(tmp_path / "set.npz", **whole_set()), share)
    for path in (plain, zipped, npz):
        with pytest.raises(UserError, match="cannot be read"):
            mnist.load_images(str(path))


def other_wrong_files(folder):
    write_idx(folder / "labels differ")
    shutil.copy(
        folder / "labels differ" / "train-images-idx3-ubyte",
        folder / "labels differ" / "train-labels-idx1-ubyte",
    )
    (folder / "labels differ" / "train-labels-idx1-ubyte").write_bytes(
        idx_bytes(LABELS[:5])
    )
    (folder / "no folder of images").mkdir()
    (folder / "text.npz").write_text("hello")
    (folder / "names.csv").write_text("a,b\n1,2\n")
    (folder / "words.csv").write_text("1,hello\n")
    (folder / "ragged.csv").write_text("1,2\n1,2,3\n")
    (folder / "empty.csv").write_text("")
    (folder / "names only.csv").write_text("label,pixel1\n")
    with (folder / "one array.npz").open("wb") as file:
        np.save(file, PIXELS)
    with zipfile.ZipFile(folder / "zip of text.npz", "w") as archive:
        archive.writestr("x_train", "hello")
    write_npz(folder / "one label.npz", x_train=PIXELS, y_train=np.array(3))
    (folder / "picture.png").write_bytes(b"\x89PNG")
    write_npz(folder / "other names.npz", a=PIXELS, b=LABELS)
    write_npz(folder / "test only.npz", x_test=PIXELS, y_test=LABELS)
    paths = sorted(p for p in folder.iterdir() if p.name not in ("keras",))
    return [*paths, folder / "missing"]


def test_other_wrong_files_are_refused(tmp_path):
    paths = other_wrong_files(tmp_path)
    assert len(paths) == 15
    for path in paths:
        with pytest.raises(UserError, match=path.name):
            mnist.load_images(str(path))


def test_other_labels_are_other_data():
    images = datasets.Images(PIXELS, LABELS, "mine", "drawn")
    same = images._replace(labels=LABELS.astype("int64"), source="elsewhere")
    other = images._replace(labels=LABELS[::-1])
    prints = [i.describe()["fingerprint"] for i in (images, same, other)]
    assert prints[0] == prints[1] != prints[2]


def test_synthetic_bars_have_classes():
    """To test class-conditional training: the position of the bar is its class."""
    images = mnist.load_images("synthetic")
    assert images.classes == ("left", "right") and "SYNTHETIC" in images.notice
    columns = (images.pixels[..., 0] > 0).any(1)
    middle = (columns * np.arange(28)).sum(1) / columns.sum(1)
    assert np.array_equal(images.labels, middle > 9)
    assert 100 < images.labels.sum() < 412
