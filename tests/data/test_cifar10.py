"""CIFAR-10 from every place and file; a pickle that would run code; synthetic shapes."""

import gzip
import io
import os
import pickle
import tarfile
import tracemalloc

import numpy as np
import pytest
from keras.datasets import cifar10 as keras_cifar10

from common.basics.errors import UserError
from common.data import cifar10
from common.data.datasets import NotFoundError
from common.data.shapes import synthetic_shapes

NAMES = [*cifar10.BATCHES["train"], *cifar10.BATCHES["test"]]


def batch_of(first=0, rows=20):
    rng = np.random.default_rng(first)
    pixels = rng.integers(0, 256, (rows, 3072)).astype(np.uint8)
    return {b"data": pixels, b"labels": [(first + n) % 10 for n in range(rows)]}


def write_folder(folder, first=0):
    folder.mkdir(parents=True)
    for number, name in enumerate(NAMES):
        write_batch(folder / name, batch_of(first + number))
    return folder


def write_batch(path, batch):
    path.write_bytes(pickle.dumps(batch, protocol=2))


def write_archive(path, first=0, mode="w:gz"):
    """A tar of the batch files, with names that lead out of any folder, and a link."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, mode) as archive:
        for number, name in enumerate(NAMES):
            content = pickle.dumps(batch_of(first + number), protocol=2)
            member = tarfile.TarInfo(f"../../{cifar10.FOLDER}/{name}")
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc"
        archive.addfile(link)
    return path


def first_batch(images):
    """The number of the first batch, given by its first row."""
    top_left = images.pixels[0, 0, 0]
    return next(
        n for n in range(200) if (batch_of(n)[b"data"][0, ::1024] == top_left).all()
    )


def error(path, split="train"):
    with pytest.raises(UserError) as raised:
        cifar10.load_images(str(path), split)
    message = str(raised.value)
    assert "\n" not in message and path.name in message
    return message


def test_each_pixel_comes_out_in_its_place(tmp_path):
    batch = batch_of()
    images = cifar10.load_images(str(write_folder(tmp_path / "any")))
    assert images.pixels.shape == (100, 32, 32, 3) and images.pixels.dtype == np.uint8
    for row, y, x, channel in [(0, 0, 0, 0), (3, 0, 5, 1), (19, 31, 2, 2), (7, 9, 31, 0)]:
        wanted = batch[b"data"][row, channel * 1024 + y * 32 + x]
        assert images.pixels[row, y, x, channel] == wanted
    assert images.labels[:20].tolist() == batch[b"labels"]
    assert images.name == "cifar-10" and images.source == str(tmp_path / "any")
    assert images.pixels.flags.c_contiguous and not images.notice


def test_train_is_five_batches_in_order_and_test_the_sixth(tmp_path):
    folder = str(write_folder(tmp_path / "any"))
    train, test = (cifar10.load_images(folder, split) for split in ("train", "test"))
    assert train.labels[::20].tolist() == [0, 1, 2, 3, 4]
    assert test.pixels.shape == (20, 32, 32, 3) and first_batch(test) == 5


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", ["cifar-10-python.tar.gz", "a.tgz", "a.tar", "plain"])
def test_an_archive_equals_the_folder(tmp_path, name, split):
    folder = write_folder(tmp_path / "above" / cifar10.FOLDER)
    mode = "w" if name == "a.tar" else "w:gz"
    archive = write_archive(tmp_path / "inner" / name, mode=mode)
    before = sorted(tmp_path.rglob("*"))
    sets = [
        cifar10.load_images(str(path), split) for path in (folder, folder.parent, archive)
    ]
    assert sorted(tmp_path.rglob("*")) == before  # nothing was unpacked
    for images in sets[1:]:
        assert np.array_equal(images.pixels, sets[0].pixels)
        assert np.array_equal(images.labels, sets[0].labels)


def test_the_first_place_that_has_it_is_taken(tmp_path, monkeypatch):
    data, cache = tmp_path / "data", tmp_path / "keras" / "datasets"
    monkeypatch.setenv("GAN_DATA_DIR", str(data))
    data.mkdir()
    target = f"{cifar10.FOLDER}-target"  # what Keras calls its folder
    places = [  # the last first
        (write_archive, cache / cifar10.ARCHIVE),
        (write_archive, cache / f"{target}_archive"),
        (write_folder, cache / cifar10.FOLDER),
        (write_folder, cache / target / cifar10.FOLDER),
        (write_archive, data / cifar10.ARCHIVE),
        (write_folder, data / cifar10.FOLDER),
    ]
    for number, (write, path) in enumerate(places):
        write(path, first=10 * number)
        for name in ("auto", "cifar-10"):
            images = cifar10.load_images(name)
            assert first_batch(images) == 10 * number and images.source == str(path)


def test_with_none_on_the_disk_keras_downloads_it(monkeypatch):
    pixels = np.arange(2 * 3072).astype(np.uint8).reshape(2, 32, 32, 3)
    train, test = (pixels, np.array([[3], [9]])), (pixels[:1], np.array([[4]]))
    monkeypatch.setattr(keras_cifar10, "load_data", lambda: (train, test))
    images = cifar10.load_images()
    assert np.array_equal(images.pixels, pixels) and images.labels.tolist() == [3, 9]
    assert cifar10.load_images(split="test").labels.tolist() == [4]


def test_without_any_the_three_ways_to_get_it_are_said():
    with pytest.raises(NotFoundError) as error:
        cifar10.load_images()
    message = str(error.value)
    for word in (
        "GAN_DATA_DIR",
        "cifar.html",
        "(connection refused)",
        "--data synthetic",
    ):
        assert word in message
    assert "\n" not in message


def test_a_wrong_data_dir_is_said(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_DATA_DIR", str(tmp_path / "nowhere"))
    with pytest.raises(UserError, match="GAN_DATA_DIR"):
        cifar10.load_images()


def test_text_keys_and_arrays_in_fortran_order_are_read(tmp_path):
    folder, batch = write_folder(tmp_path / "any"), batch_of(5)
    data = np.asfortranarray(batch[b"data"])
    write_batch(folder / "test_batch", {"data": data, "labels": batch[b"labels"]})
    assert first_batch(cifar10.load_images(str(folder), "test")) == 5


class Evil:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch '{self.path}'",)


@pytest.mark.parametrize("protocol", [0, 2, 5])
def test_a_pickle_that_would_run_code_is_refused_and_not_run(tmp_path, protocol):
    folder = write_folder(tmp_path / "any")
    evil = {b"more": Evil(tmp_path / "ran"), **batch_of()}
    (folder / "data_batch_2").write_bytes(pickle.dumps(evil, protocol))
    assert f"it calls {os.name}.system, which is not" in error(folder)
    assert not (tmp_path / "ran").exists()


class FalseArray:
    """Pickled as NumPy's array of objects, but with bytes where their addresses go."""

    def __reduce__(self):
        rebuild, words, _ = np.empty(0).__reduce__()
        return rebuild, words, (1, (16,), FalseType(), False, b"A" * 128)


class FalseType:
    def __reduce__(self):
        return np.dtype, ("O", False, True), (3, "|", None, None, None, -1, -1, 57)


def wrong_batches():
    batch = batch_of()
    pixels, labels = batch[b"data"], batch[b"labels"]
    return {
        "no dict": [pixels, labels],
        "no labels": {b"data": pixels},
        "no data": {b"labels": labels},
        "a list for data": {**batch, b"data": pixels.tolist()},
        "not bytes": {**batch, b"data": pixels.astype(int)},
        "false objects": {**batch, b"data": FalseArray()},
        "too narrow": {**batch, b"data": pixels[:, 1:]},
        "already images": {**batch, b"data": pixels.reshape(-1, 3, 32, 32)},
        "empty": {b"data": pixels[:0], b"labels": []},
        "fewer labels": {**batch, b"labels": labels[1:]},
        "label 10": {**batch, b"labels": [*labels[1:], 10]},
        "label -1": {**batch, b"labels": [*labels[1:], -1]},
        "label 1.5": {**batch, b"labels": [*labels[1:], 1.5]},
        "named labels": {**batch, b"labels": ["cat"] * 20},
        "ragged labels": {**batch, b"labels": [*labels[1:], [3]]},
        "pairs of labels": {**batch, b"labels": [[3]] * 20},
    }


@pytest.mark.parametrize("wrong", wrong_batches())
def test_wrong_batches_are_refused(tmp_path, wrong):
    folder = write_folder(tmp_path / "any")
    write_batch(folder / "test_batch", wrong_batches()[wrong])
    message = error(folder, "test")
    assert str(folder / "test_batch") in message and "again" in message


@pytest.mark.parametrize(
    "content",
    [
        b"\x96" + (2**34).to_bytes(8, "little"),  # a bytearray of 16 GiB
        b"\x97",  # a buffer that lies elsewhere
    ],
)
def test_room_is_made_for_nothing_that_is_not_there(tmp_path, content):
    folder = write_folder(tmp_path / "any")
    (folder / "test_batch").write_bytes(b"\x80\x05" + content)
    tracemalloc.start()
    error(folder, "test")
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


def test_an_archive_of_holes_is_refused(tmp_path):
    """GNU tar's old sparse member: 10 kB that declare 64 MiB of zeros."""
    name = "cifar-10-batches-py/data_batch_1"
    member = tarfile.TarInfo(name)
    member.type = tarfile.GNUTYPE_SPARSE
    header = bytearray(member.tobuf(tarfile.GNU_FORMAT))
    header[386:398], header[398:410] = b"%011o\0" % 2**26, b"%011o\0" % 0
    header[483:495] = b"%011o\0" % 2**26
    header[148:156] = b"        "
    header[148:156] = b"%06o\0 " % sum(header[:512])
    path = tmp_path / "cifar-10-python.tar.gz"
    with gzip.open(path, "wb") as file:
        file.write(bytes(header) + bytes(1024))
    with tarfile.open(path) as archive:
        (member,) = archive.getmembers()
        assert member.issparse() and member.isfile() and member.size == 2**26
    assert "data_batch_1" in error(path)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", b"\x80\x02}q\x00("])
def test_what_is_no_pickle_is_refused(tmp_path, content):
    folder = write_folder(tmp_path / "any")
    (folder / "data_batch_3").write_bytes(content)
    assert str(folder / "data_batch_3") in error(folder)


@pytest.mark.parametrize("share", [0, 0.3, 0.9, 0.999])
def test_what_is_cut_off_is_refused(tmp_path, share):
    folder = write_folder(tmp_path / "any")
    archives = [
        write_archive(tmp_path / "a.tgz"),
        write_archive(tmp_path / "a.tar", 0, "w"),
    ]
    for path in (folder / "data_batch_5", *archives):
        content = path.read_bytes()
        path.write_bytes(content[: int(len(content) * share)])
    for path in (folder, archives[0]):
        assert "again" in error(path)
    if share < 0.9:  # of a plain tar the end is empty
        assert "again" in error(archives[1])


def test_a_missing_batch_is_named(tmp_path):
    folder = write_folder(tmp_path / "any")
    (folder / "data_batch_4").unlink()
    assert "has no file data_batch_4" in error(folder)
    with tarfile.open(tmp_path / "four.tgz", "w:gz") as archive:
        archive.add(folder, cifar10.FOLDER)
    assert "has no file data_batch_4" in error(tmp_path / "four.tgz")
    (folder / "data_batch_4").mkdir()
    assert "not a regular file" in error(folder)


def test_a_damaged_set_is_not_replaced_by_another(tmp_path, monkeypatch):
    monkeypatch.setenv("GAN_DATA_DIR", str(tmp_path))
    write_folder(tmp_path / "keras" / "datasets" / cifar10.FOLDER)
    (tmp_path / cifar10.ARCHIVE).write_text("<html>not found</html>")
    with pytest.raises(UserError, match="not a complete tar archive"):
        cifar10.load_images()


def test_other_wrong_paths_are_refused(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "page.tar.gz").write_text("<html>\nnot found\n</html>")
    (tmp_path / "noise.tar.gz").write_bytes(b"\x1f\x8b\x08" + bytes(50))
    for name in ("empty", "page.tar.gz", "noise.tar.gz", "missing"):
        error(tmp_path / name)


def test_shapes_have_ten_classes_and_say_what_they_are():
    train, test = (cifar10.load_images("synthetic", split) for split in ("train", "test"))
    assert train.pixels.shape == (2000, 32, 32, 3) and train.pixels.dtype == np.uint8
    assert test.pixels.shape == (500, 32, 32, 3)
    assert np.bincount(train.labels).tolist() == [200] * 10
    assert not np.array_equal(train.pixels[:500], test.pixels)
    assert train.name == "synthetic" and train.source == "drawn"
    assert "NOT PHOTOGRAPHS" in train.notice and "\n" not in train.notice


def test_shapes_are_drawn_alike_each_time():
    one, same = synthetic_shapes(), synthetic_shapes()
    assert one.describe() == same.describe() != synthetic_shapes("test").describe()


@pytest.mark.parametrize("size", [32, 64])
def test_each_shape_shows_on_its_ground(size):
    images = synthetic_shapes("test", size)
    flat = images.pixels.reshape(500, -1, 3)
    contrast = np.ptp(flat.astype(int), axis=1)
    assert (contrast >= 64).all()  # in each channel
    for image in flat[:50]:
        _, counts = np.unique(image, axis=0, return_counts=True)
        assert np.sort(counts)[-2] > 0.03 * len(image)  # the shape, or its ground


def test_ten_names_of_classes():
    assert len(set(cifar10.CLASSES)) == 10
    assert cifar10.CLASSES[0] == "airplane" and cifar10.CLASSES[9] == "truck"
