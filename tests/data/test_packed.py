"""Packed files: indexed like arrays, and rejected where they are damaged."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from made_pictures import RNG, noise, save

from common.basics.errors import UserError
from common.data import packed, packing
from common.data.packed import PackedImages, open_packed
from common.data.packing import pack


def whole_file(n=50, **keywords):
    for i in range(n):
        save(f"whole/{i:02}.png", noise(32, 32))
    return pack("whole", "whole.hdf5", size=32, **keywords)


def test_packed_images_are_picked_as_arrays_are(monkeypatch):
    monkeypatch.setattr(packing, "CHUNK_BYTES", 8 * 32 * 32 * 3)
    path = whole_file()
    array = open_packed(path).pixels
    assert isinstance(array, np.ndarray)
    monkeypatch.setattr(packed, "MAX_IN_MEMORY_BYTES", 1)
    images = open_packed(path).pixels
    assert isinstance(images, PackedImages) and images.chunk_rows == 8
    assert images.shape == array.shape and images.dtype == np.uint8 and len(images) == 50
    for _ in range(20):
        picks = RNG.integers(-50, 50, RNG.integers(1, 90))
        assert np.array_equal(images[picks], array[picks])
    for picks in (slice(None), slice(40, 90), slice(9, 2, -3), slice(5, 5), np.arange(7)):
        assert np.array_equal(images[picks], array[picks])
    assert images[[]].shape == (0, 32, 32, 3) and images[np.uint8([3, 3])].shape[0] == 2
    for wrong in ([50], [-51], [0.5], [[1]], [True, False]):
        with pytest.raises(IndexError):
            images[wrong]


def test_a_large_file_whose_pixels_changed_is_another(monkeypatch):
    """Though the checksum in it is unchanged: to verify it takes too long."""
    monkeypatch.setattr(packed, "MAX_IN_MEMORY_BYTES", 1)
    path, found = whole_file(), []
    for change in (0, 0, 1):
        with h5py.File(path, "a") as file:
            file["images"][:] = file["images"][:] ^ np.uint8(change)
        found.append(open_packed(path).describe()["fingerprint"])
    assert found[0] == found[1] != found[2]


def test_packed_images_are_read_from_threads(monkeypatch):
    from concurrent.futures import ThreadPoolExecutor

    monkeypatch.setattr(packed, "MAX_IN_MEMORY_BYTES", 1)
    images = open_packed(whole_file()).pixels
    picks = [RNG.permutation(50) for _ in range(20)]
    with ThreadPoolExecutor(4) as pool:
        for pick, found in zip(picks, pool.map(images.__getitem__, picks), strict=True):
            assert np.array_equal(found, images[:][pick])


def test_damaged_pixels_are_noticed():
    path = whole_file()
    content, row = bytearray(path.read_bytes()), open_packed(path).pixels[30].tobytes()
    content[content.index(row) + 100] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="checksum"):
        open_packed(path)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.999])
def test_cut_off_files_are_refused(share):
    content = whole_file().read_bytes()
    Path("whole.hdf5").write_bytes(content[: int(len(content) * share)])
    with pytest.raises(UserError, match="pack the pictures again"):
        open_packed("whole.hdf5")


def test_other_files_are_refused(tmp_path):
    from keras import Sequential, layers

    model = Sequential([layers.Input((2,)), layers.Dense(1)])
    model.save("model.h5")
    model.save_weights("model.weights.h5")
    for name in ("model.h5", "model.weights.h5"):
        with pytest.raises(UserError, match="saved Keras model"):
            open_packed(name)
    for name, data in {
        "floats": np.zeros((2, 4, 4, 3)),
        "flat": np.zeros((2, 4), np.uint8),
        "oblong": np.zeros((2, 4, 8, 3), np.uint8),
        "four channels": np.zeros((2, 4, 4, 4), np.uint8),
        "none": np.zeros((0, 4, 4, 3), np.uint8),
        "unfinished": np.zeros((2, 4, 4, 3), np.uint8),
    }.items():
        with h5py.File(f"{name}.hdf5", "w") as file:
            file["images"] = data
        with pytest.raises(UserError, match="pack the pictures again"):
            open_packed(f"{name}.hdf5")
    h5py.File("hollow.hdf5", "w").close()
    Path("text.hdf5").write_text("hello")
    for name in ("hollow.hdf5", "text.hdf5", "missing.hdf5", tmp_path):
        with pytest.raises(UserError):
            open_packed(name)


@pytest.mark.parametrize("wrong", ["no checksum", "no source", "labels", "group"])
def test_files_that_were_changed_are_refused(wrong):
    with h5py.File(whole_file(), "r+") as file:
        if wrong == "labels":
            file["labels"] = [1, 2]
        elif wrong == "group":
            file.create_group("labels")
        else:
            del file.attrs[wrong.split()[1]]
    with pytest.raises(UserError, match="pack the pictures again"):
        open_packed("whole.hdf5")
