"""Batches of real images for `fit`, in an order that follows from seed and step alone."""

import keras
import numpy as np

HELD_BYTES = 128 * 2**20  # of the images that a file's stream mixes in memory


def batches_of(dataset, n_images, seed, start=0):
    """RealBatches, or StreamedBatches where the images are in a file."""
    streamed = getattr(dataset, "chunk_rows", None) is not None
    return (StreamedBatches if streamed else RealBatches)(dataset, n_images, seed, start)


class RealBatches(keras.utils.PyDataset):
    """Batches without end: each image once a pass, reshuffled for every pass.

    A batch is (images,), or (images, labels) where the dataset has labels, int32 (n, 1).

    Batch i is the same whenever it is asked for, so a run may go on at any batch.

    Args:
        dataset: array or `datasets.Scaled`, float32 (n, h, w, c), n >= n_images.
        n_images: images a batch; what is left over at the end of a pass is left out.
        seed: whole number.
        start: number of the first batch.
    """

    num_batches = None  # for Keras: no end

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
    """The same for images in a file, which is slow to read row by row.

    It is read in whole chunks, in random order. Some hundred batches, HELD_BYTES, are in
    memory at a time, and mixed.

    Args:
        dataset: `datasets.Scaled` with `chunk_rows`, float32 (n, h, w, c).
        n_images, seed, start: as of RealBatches.
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
            self.held = None  # the memory of the last group is free before the next
            rows = self.order[group * self.n_held : (group + 1) * self.n_held]
            self.held = self.dataset.take(rows)
            self.held_of = this_pass, group
        return self.held[row : row + self.n_images]


def order_by_chunks(rng, n_rows, chunk_rows, n_mixed):
    """A permutation of n_rows in which every n_mixed rows come from few chunks.

    Returns:
        int (n_rows,): the chunks in random order, then each run of n_mixed rows shuffled.
    """
    starts = rng.permutation(-(-n_rows // chunk_rows)) * chunk_rows
    order = (starts[:, None] + np.arange(chunk_rows)).ravel()
    order = order[order < n_rows]
    for start in range(0, n_rows, n_mixed):
        rng.shuffle(order[start : start + n_mixed])
    return order
