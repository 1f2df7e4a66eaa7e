"""Comet, https://www.comet.com: experiments of its package `comet_ml`, an extra here."""

import logging
import os

from common.basics.errors import UserError

PROJECT = "keras-gans"  # the name of the project on Comet
KINDS = ("none", "comet", "comet-offline")  # of `--track`
QUIET = dict.fromkeys(  # settings of comet_ml: it logs nothing by itself
    (
        *("log_code", "log_graph", "log_git_metadata", "log_git_patch"),
        *("log_env_details", "parse_args", "auto_output_logging"),
        *("auto_param_logging", "auto_metric_logging", "auto_log_co2"),
    ),
    False,
)
SILENT = {  # read when it is imported
    "COMET_DISABLE_AUTO_LOGGING": "1",
    "COMET_DISABLE_ANNOUNCEMENT": "1",
    "COMET_ERROR_TRACKING_ENABLE": "0",
}


def package():
    """The module `comet_ml`, without its patches of Keras, reports and chatter.

    Raises:
        UserError: it is not installed.
    """
    os.environ.update(SILENT)
    logging.getLogger("comet_ml").setLevel(logging.WARNING)
    try:
        import comet_ml
    except ImportError:
        raise UserError(
            "--track comet needs the package comet_ml, which is not installed: "
            "pip install -r requirements-comet.txt"
        ) from None
    return comet_ml


def check(track):
    """See whether `--track` can do its work, before anything else is done.

    Args:
        track: one of KINDS.

    Raises:
        UserError: the package is missing, or the key of an account.
    """
    if track == "none":
        return
    comet_ml = package()
    if track == "comet" and not comet_ml.get_config()["comet.api_key"]:
        raise UserError(
            "--track comet needs the key of an account: set COMET_API_KEY, or run "
            "`comet login`, or take --track comet-offline, which needs none"
        )


def start(run, track):
    """Start the experiment of a run, or go on with it where the run is resumed.

    Args:
        run: Path of the run folder; its `comet/` keeps the experiment's name on Comet,
            and with "comet-offline" an archive to upload, one for each start.
        track: "comet" or "comet-offline".

    Returns:
        comet_ml.CometExperiment.

    Raises:
        UserError: Comet cannot be reached, or refuses the key.
    """
    comet_ml = package()
    name = run / "comet" / "experiment"
    if not name.exists():
        name.parent.mkdir(exist_ok=True)
        name.write_text(comet_ml.generate_guid())
    # Comet takes the archive's name from the seeded generator: the same in each folder.
    number = len(list(name.parent.iterdir()))
    config = comet_ml.ExperimentConfig(
        **QUIET, display_summary_level=0, name=run.name,
        offline_directory=str(name.parent / f"{number:02d}"),
    )  # fmt: skip
    log = logging.getLogger("comet_ml")
    level = log.level
    log.setLevel(logging.CRITICAL)  # what fails is told below
    try:
        return comet_ml.start(
            project_name=PROJECT,
            experiment_key=name.read_text(),
            mode="get_or_create",
            online=track == "comet",
            experiment_config=config,
        )
    except Exception as error:  # of its own, of requests, of urllib3
        raise UserError(
            f"--track comet: no experiment could be started ({type(error).__name__}); "
            f"look at network and key, or --resume {run} --track comet-offline"
        ) from None
    finally:
        log.setLevel(level)
