"""Batches of real images for `fit`, reproducible: determined by the seed and the step."""

import keras
import numpy as np

HELD_BYTES = 128 * 2**20  # of the images that a stream shuffles in memory


def batches_of(dataset, n_images, seed, start=0):
    """Return RealBatches; for images that stay in a file, StreamedBatches."""
    streamed = getattr(dataset, "chunk_rows", None) is not None
    return (StreamedBatches if streamed else RealBatches)(dataset, n_images, seed, start)


class RealBatches(keras.utils.PyDataset):
    """Infinite batches: each image once per pass through the data, reshuffled each pass.

    A batch is (images,), or (images, labels) where the dataset has labels: float32
    (n_images, h, w, c) and int32 (n_images, 1).

    Batch i depends on the seed and on i alone, so a run can resume at any batch.

    Args:
        dataset: array or `datasets.Scaled`, float32 (n, h, w, c), n >= n_images.
        n_images: images per batch; the remainder of a pass is dropped.
        seed: int >= 0.
        start: index of the first batch.
    """

    num_batches = None  # infinite, for Keras

    def __init__(self, dataset, n_images, seed, start=0):
        super().__init__()
        self.dataset, self.n_images = dataset, n_images
        self.seed, self.start = seed, start
        self.order_of = None  # the pass that self.order belongs to

    def __getitem__(self, i):
        this_pass, k = divmod(self.start + i, len(self.dataset) // self.n_images)
        if self.order_of != this_pass:
            self.order = self.shuffle(np.random.default_rng([self.seed, this_pass]))
            self.order_of = this_pass
        images = self.images(this_pass, k)
        labels = getattr(self.dataset, "labels", None)
        if labels is None:
            return (images,)
        rows = self.order[k * self.n_images : (k + 1) * self.n_images]
        return images, labels[rows]

    def shuffle(self, rng):
        return rng.permutation(len(self.dataset))

    def images(self, this_pass, k):
        return self.dataset[self.order[k * self.n_images : (k + 1) * self.n_images]]


class StreamedBatches(RealBatches):
    """RealBatches of images in a file, which is slow to read row by row.

    The file is read chunk by chunk, in random order. HELD_BYTES of images, some hundred
    batches, are in memory at a time and are shuffled there.

    Args:
        dataset: `datasets.Scaled` with `chunk_rows`, float32 (n, h, w, c).
        n_images, seed, start: see RealBatches.
    """

    def __init__(self, dataset, n_images, seed, start=0):
        super().__init__(dataset, n_images, seed, start)
        bytes_a_batch = n_images * int(np.prod(dataset.shape[1:]))
        self.n_held = n_images * max(1, HELD_BYTES // bytes_a_batch)
        self.held_of = None  # the pass and the group of batches that are in memory

    def shuffle(self, rng):
        n_rows = len(self.dataset)
        return order_by_chunks(rng, n_rows, self.dataset.chunk_rows, self.n_held)

    def images(self, this_pass, k):
        group, row = divmod(k * self.n_images, self.n_held)
        if self.held_of != (this_pass, group):
            self.held = None  # frees the memory of one group before the next is read
            rows = self.order[group * self.n_held : (group + 1) * self.n_held]
            self.held = self.dataset.take(rows)
            self.held_of = this_pass, group
        return self.held[row : row + self.n_images]


def order_by_chunks(rng, n_rows, chunk_rows, n_mixed):
    """Return a permutation of n_rows in which every n_mixed rows come from few chunks.

    Args:
        rng: numpy Generator.
        n_rows: number of images.
        chunk_rows: images per chunk of the file.
        n_mixed: images that are in memory, and shuffled, at a time.

    Returns:
        int (n_rows,): the chunks in random order, then each n_mixed rows shuffled.
    """
    starts = rng.permutation(-(-n_rows // chunk_rows)) * chunk_rows
    order = (starts[:, None] + np.arange(chunk_rows)).ravel()
    order = order[order < n_rows]
    for start in range(0, n_rows, n_mixed):
        rng.shuffle(order[start : start + n_mixed])
    return order
