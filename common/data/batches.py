"""Define reproducible batches of real images: they depend on seed and step only."""

import keras
import numpy as np

BUFFER_BYTES = 128 * 2**20  # size of the shuffle buffer, as uint8 images


def batches_of(dataset, n_images, seed, start=0):
    """Return RealBatches, or StreamedBatches if the images are read from a file."""
    streamed = getattr(dataset, "chunk_rows", None) is not None
    return (StreamedBatches if streamed else RealBatches)(dataset, n_images, seed, start)


class RealBatches(keras.utils.PyDataset):
    """Infinite batches of passes over the dataset, each in a new random order.

    A batch is (images,), or (images, labels) where the dataset has labels: float32
    (n_images, h, w, c) and int32 (n_images, 1).

    Batch i depends only on i and the seed, so training can resume at any batch.

    Args:
        dataset: array or `datasets.Scaled`, float32 (n, h, w, c), n >= n_images.
        n_images: images per batch; an incomplete last batch of a pass is dropped.
        seed: int >= 0.
        start: index of the first batch, int >= 0.
    """

    num_batches = None  # infinite, for Keras

    def __init__(self, dataset, n_images, seed, start=0):
        super().__init__()
        self.dataset, self.n_images = dataset, n_images
        self.seed, self.start = seed, start
        self.order_pass = None  # the pass that self.order belongs to

    def __getitem__(self, i):
        this_pass, batch = divmod(self.start + i, len(self.dataset) // self.n_images)
        if self.order_pass != this_pass:
            self.order = self.shuffle(np.random.default_rng([self.seed, this_pass]))
            self.order_pass = this_pass
        rows = self.order[batch * self.n_images : (batch + 1) * self.n_images]
        images = self.images(this_pass, batch, rows)
        labels = getattr(self.dataset, "labels", None)
        return (images,) if labels is None else (images, labels[rows])

    def shuffle(self, rng):
        """Return the order of a pass: int (n,), a permutation of the dataset's rows."""
        return rng.permutation(len(self.dataset))

    def images(self, this_pass, batch, rows):
        """Return the images of a batch, given by pass, index in it, and dataset rows."""
        return self.dataset[rows]


class StreamedBatches(RealBatches):
    """RealBatches of images in a file, which is slow to read in random order.

    The chunks of the file are read in random order into a shuffle buffer of BUFFER_BYTES,
    which holds many batches.

    Args:
        dataset: `datasets.Scaled` with `chunk_rows`, float32 (n, h, w, c).
        n_images, seed, start: see RealBatches.
    """

    def __init__(self, dataset, n_images, seed, start=0):
        super().__init__(dataset, n_images, seed, start)
        batch_bytes = n_images * int(np.prod(dataset.shape[1:]))
        self.n_buffered = n_images * max(1, BUFFER_BYTES // batch_bytes)
        self.buffered = None  # (pass, index) of the part of the order in the buffer

    def shuffle(self, rng):
        n_rows = len(self.dataset)
        return order_by_chunks(rng, n_rows, self.dataset.chunk_rows, self.n_buffered)

    def images(self, this_pass, batch, rows):
        part, row = divmod(batch * self.n_images, self.n_buffered)
        if self.buffered != (this_pass, part):
            self.buffer = None  # frees its memory before the next part is read
            start = part * self.n_buffered
            self.buffer = self.dataset.take(self.order[start : start + self.n_buffered])
            self.buffered = this_pass, part
        return self.buffer[row : row + self.n_images]


def order_by_chunks(rng, n_rows, chunk_rows, n_buffered):
    """Return a random order in which every n_buffered rows come from few chunks.

    Args:
        rng: numpy Generator.
        n_rows: number of images.
        chunk_rows: images per chunk of the file.
        n_buffered: images in the shuffle buffer.

    Returns:
        int (n_rows,), a permutation: the chunks are in random order, then each block of
        n_buffered rows is shuffled.
    """
    starts = rng.permutation(-(-n_rows // chunk_rows)) * chunk_rows  # rounded up
    order = (starts[:, None] + np.arange(chunk_rows)).ravel()
    order = order[order < n_rows]
    for start in range(0, n_rows, n_buffered):
        rng.shuffle(order[start : start + n_buffered])
    return order
