"""Train the tutorials' models in plain PyTorch: eager, channels last.

The models have the same layers and parameters as the Keras models, and the same outputs
for the same weights. Only D outputs logits, and its loss takes logits.
"""

import time
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

LATENT_DIM = 100
SEPARATE = {"mnist": False, "cifar10": True, "faces": True}  # real and fake batches


class Flatten(nn.Module):
    """Flatten (n, c, h, w) to (n, h * w * c), in Keras's order."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Reshape(nn.Module):
    """Reshape (n, side * side * c), in Keras's order, to (n, c, side, side)."""

    def __init__(self, side):
        super().__init__()
        self.side = side

    def forward(self, x):
        return x.view(len(x), self.side, self.side, -1).permute(0, 3, 1, 2)


def conv(c_in, c_out, kernel, stride=1, bias=True):
    """Return the layers of a convolution with Keras's padding "same" for even sizes."""
    total = kernel - stride
    pad = [nn.ZeroPad2d((0, 1, 0, 1))] if total % 2 else []  # right and bottom
    return [*pad, nn.Conv2d(c_in, c_out, kernel, stride, total // 2, bias=bias)]


def upsample(c_in, c_out, bias=True):
    """Return a transposed convolution that doubles height and width."""
    return nn.ConvTranspose2d(c_in, c_out, 4, 2, padding=1, bias=bias)


def leaky():
    return nn.LeakyReLU(0.2)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)  # Keras's momentum is 0.9


def mnist():
    """Return G and D of `mnist_gan/`."""
    g = [nn.Linear(LATENT_DIM, 128 * 7 * 7), leaky(), Reshape(7)]
    g += [upsample(128, 128), leaky(), upsample(128, 128), leaky()]
    g += [*conv(128, 1, 7), nn.Sigmoid()]
    d = [*conv(1, 64, 3, 2), leaky(), nn.Dropout(0.4)]
    d += [*conv(64, 64, 3, 2), leaky(), nn.Dropout(0.4), Flatten(), nn.Linear(3136, 1)]
    return nn.Sequential(*g), nn.Sequential(*d)


def cifar10():
    """Return G and D of `cifar10_gan/`."""
    g = [nn.Linear(LATENT_DIM, 256 * 4 * 4), leaky(), Reshape(4)]
    for c_in in (256, 128, 128):
        g += [upsample(c_in, 128), leaky()]
    g += [*conv(128, 3, 3), nn.Tanh()]
    d = [*conv(3, 64, 3), leaky()]
    for c_in, c_out in ((64, 128), (128, 128), (128, 256)):
        d += [*conv(c_in, c_out, 3, 2), leaky()]
    d += [Flatten(), nn.Dropout(0.4), nn.Linear(4096, 1)]
    return nn.Sequential(*g), nn.Sequential(*d)


def faces():
    """Return G and D of `celeba_gan/`, the DCGAN of 64x64."""
    g = [nn.Linear(LATENT_DIM, 512 * 4 * 4, bias=False), Reshape(4)]
    g += [norm(512), nn.ReLU()]
    for c_in in (512, 256, 128):
        g += [upsample(c_in, c_in // 2, bias=False), norm(c_in // 2), nn.ReLU()]
    g += [upsample(64, 3), nn.Tanh()]
    d = [*conv(3, 64, 4, 2), leaky()]
    for c_in in (64, 128, 256):
        d += [*conv(c_in, 2 * c_in, 4, 2, bias=False), norm(2 * c_in), leaky()]
    d += [Flatten(), nn.Linear(8192, 1)]
    return nn.Sequential(*g), nn.Sequential(*d)


MODELS = {"mnist": mnist, "cifar10": cifar10, "faces": faces}


class TorchGAN:
    """G, D, their optimizers, and the adversarial step.

    Args:
        dataset: "mnist", "cifar10" or "faces".
        precision: "float32", or "bfloat16" (autocast).
        device: "cpu" or "cuda".
    """

    def __init__(self, dataset, precision="float32", device="cpu"):
        g, d = MODELS[dataset]()
        self.g, self.d = (m.to(device, memory_format=torch.channels_last) for m in (g, d))
        adam = {"lr": 2e-4, "betas": (0.5, 0.999), "eps": 1e-7}
        self.g_adam = torch.optim.Adam(self.g.parameters(), **adam)
        self.d_adam = torch.optim.Adam(self.d.parameters(), **adam)
        self.separate, self.device = SEPARATE[dataset], device
        self.autocast = torch.autocast(device, torch.bfloat16, precision == "bfloat16")

    def step(self, real):
        """Update D on a mixed batch or on two separate ones, then update G.

        Args:
            real: half a batch of images, float32 (n / 2, h, w, c), in G's range.
        """
        real = torch.from_numpy(real).to(self.device).permute(0, 3, 1, 2)
        with torch.no_grad(), self.autocast:
            fake = self.g(self.latent_vectors(len(real))).float()
        if self.separate:
            self.update(self.d_adam, real, 1)
            self.update(self.d_adam, fake, 0)
        else:
            labels = torch.ones(2 * len(real), 1, device=self.device)
            labels[len(real) :] = 0
            self.update(self.d_adam, torch.cat([real, fake]), labels)
        with frozen(self.d):
            z = self.latent_vectors(2 * len(real))
            self.update(self.g_adam, z, 1, generator=self.g)

    def update(self, optimizer, x, label, generator=None):
        """Update once, with `label` as D's target for x, or for generator(x)."""
        with self.autocast:
            logits = self.d(generator(x) if generator else x)
        loss = cross_entropy(logits.float(), torch.zeros_like(logits.float()) + label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def latent_vectors(self, n):
        return torch.randn(n, LATENT_DIM, device=self.device)


@contextmanager
def frozen(module):
    """Compute no gradients of this module's weights inside the context."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


def real_batch(pixels, dataset, n, rng):
    """Return n random images, float32 (n, h, w, c) in G's range."""
    x = pixels[rng.integers(0, len(pixels), n)].astype("float32")
    return x / 255 if dataset == "mnist" else (x - 127.5) / 127.5


def stepper(dataset, precision, pixels):
    """Return a function for `worker.py`: batch size and k -> seconds of k steps."""
    gan, rng = TorchGAN(dataset, precision), np.random.default_rng(0)

    def run(n_batch, k):
        seconds = []
        for _ in range(k):
            started = time.perf_counter()
            gan.step(real_batch(pixels, dataset, n_batch // 2, rng))
            seconds.append(time.perf_counter() - started)
        return seconds

    return run
