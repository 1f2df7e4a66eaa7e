"""The order in which `fit` sees real images, from memory and from a file."""

import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from helpers import ROOT

from common.data import batches as batches_module
from common.data.batches import RealBatches, batches_of, order_by_chunks
from common.data.datasets import Scaled
from common.data.packed import PackedImages

DATASET = np.arange(10, dtype="float32").reshape(10, 1, 1, 1)


def batches(n, n_images, seed=1, start=0):
    source = batches_of(DATASET, n_images, seed, start)
    return [source[i][0].ravel() for i in range(n)]


def test_each_image_comes_once_a_pass_and_passes_differ():
    first, second = np.concatenate(batches(2, 5)), np.concatenate(batches(2, 5, start=2))
    assert sorted(first) == sorted(second) == sorted(DATASET.ravel())
    assert not np.array_equal(first, second)


def test_rest_of_a_pass_is_left_out():
    assert len(set(np.concatenate(batches(3, 3)))) == 9


@pytest.mark.parametrize("start", [1, 3, 8])
def test_order_can_be_taken_up_at_any_batch(start):
    np.testing.assert_array_equal(
        batches(12, 3)[start:], batches(12 - start, 3, 1, start)
    )


def test_order_follows_from_the_seed():
    np.testing.assert_array_equal(batches(5, 2, seed=3), batches(5, 2, seed=3))
    assert not np.array_equal(batches(5, 2, seed=3), batches(5, 2, seed=4))


def packed_file(n, side=2, chunk_rows=8):
    """An open file of n images; the first pixels of image i spell i."""
    pixels = np.zeros((n, side, side, 3), "uint8")
    pixels[:, 0, 0] = np.stack(
        [np.arange(n) // 256, np.arange(n) % 256, 0 * np.arange(n)], 1
    )
    file = h5py.File("packed.hdf5", "w")
    return file.create_dataset("images", data=pixels, chunks=(chunk_rows, side, side, 3))


def spelled(images):
    return (images[:, 0, 0, 0] * 256 + images[:, 0, 0, 1]).astype(int)


def stream(file, n_images, start=0, seed=1):
    dataset = Scaled(PackedImages(file), lambda pixels: pixels.astype("float32"))
    return batches_of(dataset, n_images, seed, start)


@pytest.fixture
def small_buffer(monkeypatch):
    monkeypatch.setattr(batches_module, "BUFFER_BYTES", 12 * 40)  # 40 images of 2x2x3


def test_streamed_batches_of_a_pass_are_a_permutation_of_the_file(small_buffer):
    source = stream(packed_file(600), 10)
    passes = [
        np.concatenate([spelled(source[i][0]) for i in range(p * 60, (p + 1) * 60)])
        for p in range(2)
    ]
    for found in passes:
        assert sorted(found) == list(range(600))
    assert not np.array_equal(*passes)


def test_streamed_order_can_be_taken_up_at_any_batch(small_buffer):
    file = packed_file(605)  # the last chunk is a short one
    whole = stream(file, 10)
    expected = [whole[i][0] for i in range(130)]
    for start in (3, 4, 59, 60, 61, 119):
        later = stream(file, 10, start)
        for i in range(130 - start):
            np.testing.assert_array_equal(later[i][0], expected[start + i])


def test_chunks_are_read_in_runs_and_mixed():
    order = order_by_chunks(np.random.default_rng(0), 1000, chunk_rows=10, n_buffered=200)
    assert sorted(order) == list(range(1000))
    for start in range(0, 1000, 200):
        mixed = order[start : start + 200]
        assert len(set(mixed // 10)) == 20  # 20 whole chunks, no more
        assert len(set(mixed[:10] // 10)) > 3  # and not one after the other


def test_memory_of_the_stream_is_bounded_by_its_buffer(monkeypatch):
    monkeypatch.setattr(batches_module, "BUFFER_BYTES", 2**20)
    file = packed_file(5000, side=32, chunk_rows=64)  # 15 MB
    source = stream(file, 64)
    source[0]
    tracemalloc.start()
    for i in range(2 * (5000 // 64)):
        source[i]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # The buffer, its parts while it is filled, and one batch of float32.
    assert peak < 4 * 2**20


def test_fit_goes_through_the_batches_across_epochs():
    """Keras takes batch 0, 1, 2, ... and does not restart at a new epoch."""
    seen = []

    class Spy(keras.Model):
        def train_step(self, data):
            seen.extend(keras.ops.convert_to_numpy(data[0]).ravel())
            return {"seen": 0.0}

    model = Spy()
    model.compile(run_eagerly=True)
    model.built = True
    model.fit(RealBatches(DATASET, 2, 1), epochs=2, steps_per_epoch=5, verbose=0,
              shuffle=False)  # fmt: skip
    assert sorted(seen[:10]) == sorted(seen[10:]) == sorted(DATASET.ravel())
    np.testing.assert_array_equal(seen, np.concatenate(batches(10, 2)))


WRITE = """
import os, sys
import h5py, numpy as np
from celeba_gan.load_data import load_images
from common.data.packing import ImageWriter, write_metadata
rng, n = np.random.default_rng(0), int(sys.argv[1])
faces = load_images("auto" if "GAN_DATA_DIR" in os.environ else "synthetic").pixels
with h5py.File("large.hdf5", "w") as file:
    rows = ImageWriter(file, n, 64, 3, sys.argv[2])
    for start in range(0, n, 500):  # each time lighter or darker
        picks = faces[rng.integers(0, len(faces), 500)].astype(int)
        picks += rng.integers(-20, 21, (500, 1, 1, 1))
        rows.append(list(picks.clip(0, 255).astype("uint8")))
    write_metadata(file, rows, [str(i) for i in range(n)], {}, None)
    file.attrs.update(complete=True, source="generated")
"""
DATA_DIR = {k: v for k, v in os.environ.items() if k == "GAN_DATA_DIR"}
READ = """
import resource
from common.data import packed
packed.MAX_IN_MEMORY_BYTES = 0  # the file is not kept in memory
from common.data.datasets import Scaled
from celeba_gan.load_data import measure_loader, scale
dataset = Scaled(packed.open_packed("large.hdf5").pixels, scale)
import keras
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
rate = measure_loader(dataset, seconds=8)
print(rate, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


@pytest.mark.slow
def test_a_file_of_50_000_images_is_streamed_fast_in_little_memory():
    """`pytest -m slow -s -k 50_000` prints what it measures, for none and lzf."""

    def run(code, *words):
        command = [sys.executable, "-c", code, *words]
        env = {**os.environ, **DATA_DIR, "PYTHONPATH": str(ROOT)}
        answer = subprocess.run(command, env=env, capture_output=True, text=True)
        assert answer.returncode == 0, answer.stderr
        return answer.stdout

    for compression in ("none", "lzf"):
        run(WRITE, "50000", compression)
        rate, growth = map(float, run(READ).split())
        size = Path("large.hdf5").stat().st_size / 2**20
        print(f"\n{compression}: {size:.0f} MiB, {rate:.0f} images/s, +{growth:.0f} MiB")
        assert rate > 3000
        assert growth < 300 < 50_000 * 64 * 64 * 3 / 2**20  # MiB of pixels
