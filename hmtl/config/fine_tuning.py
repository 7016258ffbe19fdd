"""What the config's section `fine_tuning` may say."""

from typing import Dict, List, Optional

from allennlp.common import FromParams
from allennlp.common.checks import ConfigurationError

KEEP, DROP = "keep", "drop"


class FineTuningOptions(FromParams):
    """
    How a model begins with the weights of a trained one, and what of the trained one's tasks comes along.

    # Parameters

    initialize_from : `Dict[str, str]`, optional
        For a level of this config, the level of the trained model whose encoder and head it begins with,
        where the names differ.
    start_new : `List[str]`, optional
        Regular expressions (searched for) of parameters that are not to be taken from the trained model.
    old_labels : `str`, optional (default = `"keep"`)
        What becomes of labels that the trained model knows and the new data do not have: `"keep"`, or
        `"drop"`, which lets each head know those of the new data only.
    replay : `Dict[str, float]`, optional
        Tasks of the trained model that come along with their data, by name, and how often they are trained
        on: 1 is as often as any other task, 0.1 a tenth of that, 0 never (their level and head are kept,
        and scored). A task that the config has a section for need not be taken from the trained model's.
    report_forgetting : `bool`, optional (default = `True`)
        Score the tasks of the trained model on their test data before and after.
    """

    def __init__(
        self,
        initialize_from: Optional[Dict[str, str]] = None,
        start_new: Optional[List[str]] = None,
        old_labels: str = KEEP,
        replay: Optional[Dict[str, float]] = None,
        report_forgetting: bool = True,
    ) -> None:
        if old_labels not in (KEEP, DROP):
            raise ConfigurationError(
                f"fine_tuning.old_labels is {old_labels!r}; write {KEEP!r} or {DROP!r}"
            )
        self.initialize_from = initialize_from or {}
        self.start_new = start_new or []
        self.old_labels = old_labels
        self.replay = replay or {}
        self.report_forgetting = report_forgetting
