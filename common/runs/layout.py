"""The columns of a run folder's tables."""

LOSSES = ("d_loss", "d1", "d2", "g_loss")
COLUMNS = (  # of history.csv, besides epoch and step
    *LOSSES,
    *("acc_real", "acc_fake", "acc_adv"),
    *("score_real", "score_fake", "score_adv", "energy_real", "energy_fake"),
    *("k", "convergence"),
)
