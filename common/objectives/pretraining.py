"""The training of an auto-encoding D alone, before the GAN's: ebgan and began."""

import numpy as np


def pretrain(gan, batches, n_steps):
    """Train D to copy real images.

    Args:
        gan: gan.GAN whose D gives an energy.
        batches: what `batches.batches_of` gives.
        n_steps: number of updates of D.
    """
    from tqdm import trange

    d_model = gan.d_model
    d_model.compile(d_model.optimizer, loss=lambda labels, energies: energies)
    energies = []
    try:
        for i in trange(n_steps, desc="D copies real images", disable=None):
            (x_real,) = batches[i]
            zeros = np.zeros((len(x_real), 1))
            energies.append(d_model.train_on_batch(x_real, zeros))
    except KeyboardInterrupt:
        print("\ninterrupted before the first epoch: there is nothing to go on with")
        raise
    print(f"D alone, {n_steps} steps: energy {energies[0]:.4f} -> {energies[-1]:.4f}")
