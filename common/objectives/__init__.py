"""The adversarial objectives of `--objective`: what D and G minimize.

The basic one, `bce`, is the step in `common/gan.py` with the losses that the `define_*`
functions compile. `table.py` lists them all, with their sources; those that
`compile(loss=...)` cannot express are classes of their own, in `wgan_gp.py`, `r3gan.py`,
`ebgan.py` and `began.py`.
"""

OPTIONS = {  # objective -> the options that it sets or adds, as in its paper
    "bce": {},
    "minimax": {},
    "lsgan": {},
    "hinge": {},
    "wgan": {"learning_rate": 5e-5, "critic_steps": 5, "clip": 0.01},
    "wgan-gp": {
        "halves": "merged",
        "learning_rate": 1e-4,
        "critic_steps": 5,
        "penalty": 10.0,
    },
    "ebgan": {
        "halves": "merged",
        "margin": 0.02,
        "pull_away": 0.0,
        "pretrain_discriminator": 0,
    },
    "began": {"halves": "merged", "gamma": 1.0, "pretrain_discriminator": 0},
    "r3gan": {"halves": "merged", "penalty": 1.0},
}
OWN = ("clip", "penalty", "margin", "pull_away", "gamma")  # of an objective's class


def objectives_with(option):
    """The names of the objectives that have this option, as a phrase."""
    return " and ".join(name for name, own in OPTIONS.items() if option in own)
