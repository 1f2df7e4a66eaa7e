"""Pretrain an auto-encoder D on real images: `--objective ebgan` and `began`."""

import numpy as np


def pretrain(gan, batches, n_steps):
    """Train D to reconstruct real images, before adversarial training.

    Args:
        gan: gan.GAN whose D returns an energy.
        batches: see `batches.batches_of`.
        n_steps: number of updates of D, may be 0.
    """
    if n_steps == 0:
        return
    from tqdm import trange

    d_model = gan.d_model
    d_model.compile(d_model.optimizer, loss=lambda labels, energies: energies)
    energies = []
    try:
        for i in trange(n_steps, desc="D reconstructs real images", disable=None):
            (x_real,) = batches[i]
            zeros = np.zeros((len(x_real), 1))
            energies.append(d_model.train_on_batch(x_real, zeros))
    except KeyboardInterrupt:
        print("\ninterrupted in the pretraining of D, which is not saved")
        raise
    first, last = energies[0], energies[-1]
    print(f"pretraining, steps: {n_steps}; energy {first:.4f} -> {last:.4f}")
