"""Start experiments on Comet, https://www.comet.com, with the package `comet_ml`."""

import logging

from common.basics.errors import UserError
from common.options.track import import_comet
from common.runs.layout import COMET

PROJECT = "keras-gans"  # the name of the project on Comet
NO_AUTO_LOGS = dict.fromkeys(  # settings of comet_ml.ExperimentConfig
    (
        *("log_code", "log_graph", "log_git_metadata", "log_git_patch"),
        *("log_env_details", "parse_args", "auto_output_logging"),
        *("auto_param_logging", "auto_metric_logging", "auto_log_co2"),
    ),
    False,
)


def start(run, track):
    """Start the experiment of a run, or continue it if the run is resumed.

    Args:
        run: Path of the run folder; its `comet/` keeps the experiment's name on Comet,
            and with "comet-offline" an archive to upload, one for each start.
        track: "comet" or "comet-offline".

    Returns:
        comet_ml.CometExperiment.

    Raises:
        UserError: Comet cannot be reached, or rejects the API key.
    """
    comet_ml = import_comet()
    name = run / COMET / "experiment"
    if not name.exists():
        name.parent.mkdir(exist_ok=True)
        name.write_text(comet_ml.generate_guid())
    # Comet derives the archive's name from the seeded generator: equal in each folder.
    number = len(list(name.parent.iterdir()))
    config = comet_ml.ExperimentConfig(
        **NO_AUTO_LOGS, display_summary_level=0, name=run.name,
        offline_directory=str(name.parent / f"{number:02d}"),
    )  # fmt: skip
    log = logging.getLogger("comet_ml")
    log.setLevel(logging.CRITICAL)  # failures are reported below
    try:
        return comet_ml.start(
            project_name=PROJECT,
            experiment_key=name.read_text(),
            mode="get_or_create",
            online=track == "comet",
            experiment_config=config,
        )
    except Exception as error:  # comet_ml, requests and urllib3 raise various classes
        raise UserError(
            f"--track comet: no experiment could be started ({type(error).__name__}): "
            f"check network and API key, or use --resume {run} --track comet-offline"
        ) from None
    finally:
        log.setLevel(logging.WARNING)  # as `import_comet` does
