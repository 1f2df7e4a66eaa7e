"""Batches of real images for `fit`, in an order that follows from seed and step alone."""

import keras
import numpy as np

HELD_BYTES = 128 * 2**20  # of the images that a file's stream mixes in memory


class RealBatches(keras.utils.PyDataset):
    """Batches without end: each image once a pass, reshuffled for every pass.

    Batch i is the same whenever it is asked for, so a run may go on at any batch. Images
    that are read from a file (`datasets.Scaled` with a `chunk_rows`) are read in whole
    chunks, and mixed in memory some thousands at a time: single rows would be slow.

    Args:
        dataset: array or `datasets.Scaled`, float32 (n, h, w, c), n >= n_images.
        n_images: images a batch; what is left over at the end of a pass is passed over.
        seed: whole number.
        start: number of the first batch.
    """

    num_batches = None  # for Keras: no end

    def __init__(self, dataset, n_images, seed, start=0):
        super().__init__()
        self.dataset, self.n_images = dataset, n_images
        self.seed, self.start = seed, start
        self.per_pass = len(dataset) // n_images
        self.chunk_rows = getattr(dataset, "chunk_rows", None)
        bytes_a_batch = n_images * int(np.prod(dataset.shape[1:]))
        self.group = max(1, HELD_BYTES // bytes_a_batch)  # batches held together
        self.ordered_for = self.held_for = None

    def __getitem__(self, i):
        this_pass, k = divmod(self.start + i, self.per_pass)
        self.set_order(this_pass)
        if self.chunk_rows is None:
            return (self.dataset[self.order[self.rows(k)]],)
        group, k = divmod(k, self.group)
        if self.held_for != (this_pass, group):
            self.held = None  # the memory of the last group is free before the next
            self.held = self.dataset.take(self.order[self.rows(group, self.group)])
            self.held_for = this_pass, group
        return (self.held[self.rows(k)],)

    def rows(self, k, batches=1):
        """Where the k-th batch, or group of so many batches, stands in an order."""
        n = self.n_images * batches
        return slice(k * n, (k + 1) * n)

    def set_order(self, this_pass):
        if self.ordered_for != this_pass:
            rng = np.random.default_rng([self.seed, this_pass])
            n_mixed = self.n_images * self.group
            self.order = (
                rng.permutation(len(self.dataset))
                if self.chunk_rows is None
                else order_by_chunks(rng, len(self.dataset), self.chunk_rows, n_mixed)
            )
            self.ordered_for = this_pass


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
