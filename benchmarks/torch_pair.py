"""The tutorials' models and their step in plain PyTorch: eager, channels last.

Equal to the Keras models in every parameter and every number: kernels, padding, slopes,
dropout, BatchNormalization. D gives logits, and its loss takes them.
"""

import time
from contextlib import contextmanager

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits as cross_entropy

LATENT_DIM = 100
SEPARATE = {"mnist": False, "cifar10": True, "faces": True}  # D's half batches


class Flat(nn.Module):
    """(n, c, h, w) -> (n, h * w * c), in Keras's order."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Grid(nn.Module):
    """(n, side * side * c) -> (n, c, side, side), from Keras's order."""

    def __init__(self, side):
        super().__init__()
        self.side = side

    def forward(self, x):
        return x.view(len(x), self.side, self.side, -1).permute(0, 3, 1, 2)


def conv(c_in, c_out, kernel, stride=1, bias=True):
    """A convolution with Keras's padding "same" of even sizes: the odd zero is last."""
    total = kernel - stride
    pad = [nn.ZeroPad2d((0, 1, 0, 1))] if total % 2 else []
    return [*pad, nn.Conv2d(c_in, c_out, kernel, stride, total // 2, bias=bias)]


def double(c_in, c_out, bias=True):
    """A transposed convolution that doubles height and width."""
    return nn.ConvTranspose2d(c_in, c_out, 4, 2, padding=1, bias=bias)


def leaky():
    return nn.LeakyReLU(0.2)


def norm(channels):
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.1)  # 1 - Keras's 0.9


def mnist():
    """G and D of `mnist_gan/`."""
    g = [nn.Linear(LATENT_DIM, 128 * 7 * 7), leaky(), Grid(7)]
    g += [double(128, 128), leaky(), double(128, 128), leaky()]
    g += [*conv(128, 1, 7), nn.Sigmoid()]
    d = [*conv(1, 64, 3, 2), leaky(), nn.Dropout(0.4)]
    d += [*conv(64, 64, 3, 2), leaky(), nn.Dropout(0.4), Flat(), nn.Linear(3136, 1)]
    return nn.Sequential(*g), nn.Sequential(*d)


def cifar10():
    """G and D of `cifar10_gan/`."""
    g = [nn.Linear(LATENT_DIM, 256 * 4 * 4), leaky(), Grid(4)]
    for c_in in (256, 128, 128):
        g += [double(c_in, 128), leaky()]
    g += [*conv(128, 3, 3), nn.Tanh()]
    d = [*conv(3, 64, 3), leaky()]
    for c_in, c_out in ((64, 128), (128, 128), (128, 256)):
        d += [*conv(c_in, c_out, 3, 2), leaky()]
    d += [Flat(), nn.Dropout(0.4), nn.Linear(4096, 1)]
    return nn.Sequential(*g), nn.Sequential(*d)


def faces():
    """G and D of `celeba_gan/`, the DCGAN of 64x64."""
    g = [nn.Linear(LATENT_DIM, 512 * 4 * 4, bias=False), Grid(4), norm(512), nn.ReLU()]
    for c_in in (512, 256, 128):
        g += [double(c_in, c_in // 2, bias=False), norm(c_in // 2), nn.ReLU()]
    g += [double(64, 3), nn.Tanh()]
    d = [*conv(3, 64, 4, 2), leaky()]
    for c_in in (64, 128, 256):
        d += [*conv(c_in, 2 * c_in, 4, 2, bias=False), norm(2 * c_in), leaky()]
    d += [Flat(), nn.Linear(8192, 1)]
    return nn.Sequential(*g), nn.Sequential(*d)


PAIRS = {"mnist": mnist, "cifar10": cifar10, "faces": faces}


class Pair:
    """G, D, their optimizers, and the adversarial step.

    Args:
        dataset: "mnist", "cifar10" or "faces".
        precision: "float32", or "bfloat16": autocast.
        device: "cpu" or "cuda".
    """

    def __init__(self, dataset, precision="float32", device="cpu"):
        g, d = PAIRS[dataset]()
        self.g, self.d = (m.to(device, memory_format=torch.channels_last) for m in (g, d))
        adam = {"lr": 2e-4, "betas": (0.5, 0.999), "eps": 1e-7}
        self.g_adam = torch.optim.Adam(self.g.parameters(), **adam)
        self.d_adam = torch.optim.Adam(self.d.parameters(), **adam)
        self.separate, self.device = SEPARATE[dataset], device
        self.autocast = torch.autocast(device, torch.bfloat16, precision == "bfloat16")

    def step(self, real):
        """One update of D (or one for each half), then one of G.

        Args:
            real: half a batch of images, float32 (n / 2, h, w, c).
        """
        real = torch.from_numpy(real).to(self.device).permute(0, 3, 1, 2)
        with torch.no_grad(), self.autocast:
            fake = self.g(self.latent_points(len(real))).float()
        if self.separate:
            self.learn(self.d_adam, real, 1)
            self.learn(self.d_adam, fake, 0)
        else:
            labels = torch.ones(2 * len(real), 1, device=self.device)
            labels[len(real) :] = 0
            self.learn(self.d_adam, torch.cat([real, fake]), labels)
        with frozen(self.d):
            self.learn(self.g_adam, self.latent_points(2 * len(real)), 1, through=self.g)

    def learn(self, optimizer, x, label, through=None):
        """One update to have D give this label to x, or to what `through` makes of it."""
        with self.autocast:
            logits = self.d(through(x) if through else x)
        loss = cross_entropy(logits.float(), torch.zeros_like(logits.float()) + label)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    def latent_points(self, n):
        return torch.randn(n, LATENT_DIM, device=self.device)


@contextmanager
def frozen(module):
    """Inside, no gradients of this module's weights are computed."""
    module.requires_grad_(False)
    try:
        yield
    finally:
        module.requires_grad_(True)


def real_batch(pixels, dataset, n, rng):
    """n random images, float32 in G's range."""
    x = pixels[rng.integers(0, len(pixels), n)].astype("float32")
    return x / 255 if dataset == "mnist" else (x - 127.5) / 127.5


def stepper(dataset, precision, pixels):
    """What `worker.py` asks: a function of batch and k -> seconds of each of k steps."""
    pair, rng = Pair(dataset, precision), np.random.default_rng(0)

    def run(n_batch, k):
        seconds = []
        for _ in range(k):
            started = time.perf_counter()
            pair.step(real_batch(pixels, dataset, n_batch // 2, rng))
            seconds.append(time.perf_counter() - started)
        return seconds

    return run
