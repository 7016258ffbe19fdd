"""A vocabulary that grows: what a trained model knows keeps its index, and what is new comes after it."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Dict, Iterable

from allennlp.common import Params
from allennlp.data import Instance, Vocabulary

from hmtl.runs.assembly import new_vocabulary

# The type of a vocabulary block that is made from the data; the others say where theirs comes from.
FROM_DATA = "from_instances"
EXTEND = "extend"


def grown_vocabulary(
    instances: Iterable[Instance],
    block: Dict[str, Any],
    known: Vocabulary,
    with_labels: bool = True,
) -> Vocabulary:
    """
    # Parameters

    instances : `Iterable[Instance]`
        Whose words and labels are added.
    block : `Dict[str, Any]`
        The config's `vocabulary`, with what words must satisfy to be added. If it says of itself where its
        words come from (by a `type`), the vocabulary is what it says.
    known : `Vocabulary`
        Of the trained model; it is not changed.
    with_labels : `bool`, optional (default = `True`)
        Whether the labels it knows stay; otherwise they are those of the instances alone. Labels are what
        namespaces without padding hold.
    """
    if block.get("type", FROM_DATA) != FROM_DATA:
        return new_vocabulary(instances, block)
    with TemporaryDirectory() as directory:
        known.save_to_files(directory)
        if not with_labels:
            for namespace in known.get_namespaces():
                if not known.is_padded(namespace):
                    (Path(directory) / f"{namespace}.txt").unlink()
        return Vocabulary.from_params(
            Params({**block, "type": EXTEND, "directory": directory}), instances=instances
        )
