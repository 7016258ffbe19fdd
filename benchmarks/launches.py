"""
How many kernels a training step and the scoring of a batch would give a GPU, and how often they would wait
for it, counted on a pretended one. The model is that of the other benchmarks; then it has an ELMo as well,
whose vectors are not kept: the published one, but narrower.
"""

import argparse
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from benchmarks import workload
from benchmarks.embedding_cache import write_elmo
from benchmarks.pretended import NAME, Counts, counted, install
from benchmarks.reporting import report
from benchmarks.throughput import OTHER_TASKS, TASKS
from hmtl.common.devices import to_device
from hmtl.runs.assembly import assemble, parse_config
from hmtl.runs.training import build_trainer

# Enough for batches of the usual size; the vocabulary's size does not count.
NUM_SENTENCES, NUM_DOCUMENTS = 400, 8
SHOWN = 100
ELMO_SHRUNK = 32


def figures(counts: Counts) -> dict[str, Any]:
    """What a line says of them."""
    return {
        "kernels": counts.kernels.total(),
        "in_cudnn": counts.inside,
        "waits": counts.waits.total(),
        "waits_for": [f"{what} ({count})" for what, count in counts.waits.most_common()],
    }


def measure(tasks: tuple[str, ...], with_elmo: bool, details: bool) -> None:
    """A line for each task, of its second step: at the first, an optimizer makes its state."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        corpora = directory / "corpora"
        if tasks == TASKS:
            workload.write_corpora(corpora, NUM_SENTENCES, NUM_DOCUMENTS)
            elmo = write_elmo(directory, ELMO_SHRUNK) if with_elmo else None
            config = workload.config_for(corpora, elmo)
        else:
            workload.write_other_corpora(corpora, NUM_SENTENCES)
            config = workload.other_config_for(corpora)
        experiment = assemble(parse_config(config), directory / "run", ("train", "validation"))
        device = torch.device(NAME, 0)
        experiment = replace(experiment, model=experiment.model.to(device), device=device)
        trainer = build_trainer(experiment)
        for name in tasks:
            trainer.model.train()
            trainer.train_step(name)
            counted(True)
            trainer.train_step(name)
            training = counted(False)
            batch = next(iter(trainer.tasks[name].validation))
            with torch.no_grad():
                trainer.model.eval()
                counted(True)
                trainer.model(name, to_device(batch, device))
                scoring = counted(False)
            trainer.model.train()
            # As with on_invalid_loss: "skip".
            trainer.loss_guard.in_step = True
            counted(True)
            trainer.train_step(name)
            skipping = counted(False)
            trainer.loss_guard.in_step = False
            lines = {"training": training, "skipping": skipping, "scoring": scoring}
            named = f"{name} with ELMo" if with_elmo else name
            report("launches", task=named, **{key: figures(each) for key, each in lines.items()})
            if details:
                most = training.kernels.most_common(SHOWN)
                print(*(f"{count:6} {what}" for what, count in most), sep="\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--details", action="store_true", help="show which lines launch most")
    details = parser.parse_args().details
    with install():
        for tasks, with_elmo in ((TASKS, False), (OTHER_TASKS, False), (TASKS, True)):
            measure(tasks, with_elmo, details)


if __name__ == "__main__":
    main()
