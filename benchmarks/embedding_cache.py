"""
How much faster an epoch is once the vectors of a frozen ELMo of the original size are in the cache: that
of the published NER model, with random weights of the right shapes, which take the same time. The baseline
is the same training without the cache, in the same run. Both must end with the same weights, bit for bit.
"""

import argparse
import json
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.reporting import REPOSITORY, median, report
from hmtl.runs.assembly import parse_config

CONFIG = REPOSITORY / "configs" / "ner.json"
NUM_SENTENCES, NUM_EPOCHS = 320, 3

# The ELMo of the published models (Peters et al., 2018): 93.6 million weights.
CHARACTERS, CHARACTER_DIM = 261, 16
FILTERS = ((1, 32), (2, 32), (3, 64), (4, 128), (5, 256), (6, 512), (7, 1024))
PROJECTION, CELL, LAYERS, HIGHWAYS, GATES = 512, 4096, 2, 2, 4


def write_elmo(directory: Path, shrunk: int = 1) -> tuple[Path, Path]:
    """Options and weights in the format of the released files, every part so many times narrower."""
    import h5py
    import numpy

    options_file, weight_file = directory / "options.json", directory / "weights.hdf5"
    filters = [(size, number // shrunk) for size, number in FILTERS]
    projection, cell = PROJECTION // shrunk, CELL // shrunk
    options_file.write_text(json.dumps(_options(filters, projection, cell)))
    rng = numpy.random.default_rng(0)
    with h5py.File(weight_file, "w") as file:
        for name, shape in _shapes(filters, projection, cell).items():
            # As large as keeps what goes through a layer as large as it came.
            scale = shape[-2] ** -0.5 if len(shape) > 1 else 0.0
            file[name] = rng.standard_normal(shape, dtype=numpy.float32) * numpy.float32(scale)
    return options_file, weight_file


def _options(filters: list[tuple[int, int]], projection: int, cell: int) -> dict[str, Any]:
    return {
        "lstm": {
            "use_skip_connections": True,
            "projection_dim": projection,
            "cell_clip": 3,
            "proj_clip": 3,
            "dim": cell,
            "n_layers": LAYERS,
        },
        "char_cnn": {
            "activation": "relu",
            "embedding": {"dim": CHARACTER_DIM},
            "filters": filters,
            "max_characters_per_token": 50,
            "n_characters": CHARACTERS + 1,
            "n_highway": HIGHWAYS,
        },
    }


def _shapes(
    filters: list[tuple[int, int]], projection: int, cell: int
) -> dict[str, tuple[int, ...]]:
    width = sum(number for _, number in filters)
    shapes: dict[str, tuple[int, ...]] = {
        "char_embed": (CHARACTERS, CHARACTER_DIM),
        "CNN_proj/W_proj": (width, projection),
        "CNN_proj/b_proj": (projection,),
    }
    for index, (size, number) in enumerate(filters):
        shapes[f"CNN/W_cnn_{index}"] = (1, size, CHARACTER_DIM, number)
        shapes[f"CNN/b_cnn_{index}"] = (number,)
    for index in range(HIGHWAYS):
        for gate in ("transform", "carry"):
            shapes[f"CNN_high_{index}/W_{gate}"] = (width, width)
            shapes[f"CNN_high_{index}/b_{gate}"] = (width,)
    for direction in range(2):
        for layer in range(LAYERS):
            name = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes[f"{name}/W_0"] = (2 * projection, GATES * cell)
            shapes[f"{name}/B"] = (GATES * cell,)
            shapes[f"{name}/W_P_0"] = (cell, projection)
    return shapes


def config_for(directory: Path, elmo: tuple[Path, Path], num_epochs: int) -> dict[str, Any]:
    """The published config over the corpora that `write_corpora` wrote."""
    from hmtl.config.loading import load_config

    config = load_config(CONFIG)
    embedders = config["model"]["text_field_embedder"]["token_embedders"]
    embedders["tokens"].pop("pretrained_file")
    embedders["elmo"].update({"options_file": str(elmo[0]), "weight_file": str(elmo[1])})
    config["data_root"] = str(directory)
    config["task_ner"]["task_description"]["evaluate_on_test"] = False
    config["task_ner"]["data_params"].update(
        {"train_data_path": "train/ner", "validation_data_path": "dev/ner"}
    )
    config["multi_task_trainer"].update(
        {"cuda_device": -1, "no_tqdm": True, "num_epochs": num_epochs}
    )
    return config


def seconds_of_epochs(
    config: dict[str, Any], directory: Path
) -> tuple[list[float], dict[str, Any]]:
    """Of the training of each epoch, without its validation; and the weights at the end."""
    from benchmarks.epoch_clock import EpochClock
    from hmtl.config.schema import SPLITS
    from hmtl.runs.assembly import assemble
    from hmtl.runs.training import build_trainer

    directory.mkdir()
    trainer = build_trainer(assemble(parse_config(config), directory, SPLITS))
    clock = EpochClock()
    trainer.callbacks.append(clock)
    trainer.train()
    return clock.seconds, trainer.model.state_dict()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sentences", type=int, default=NUM_SENTENCES, metavar="N", help=f"({NUM_SENTENCES})"
    )
    parser.add_argument(
        "--epochs", type=int, default=NUM_EPOCHS, metavar="N", help=f"({NUM_EPOCHS})"
    )
    arguments = parser.parse_args()
    from benchmarks.workload import write_corpora

    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        write_corpora(directory / "data", arguments.sentences, 1)
        config = config_for(directory / "data", write_elmo(directory), arguments.epochs)
        baseline, expected = seconds_of_epochs(config, directory / "without")
        config["cache"] = {"directory": str(directory / "cache"), "embeddings": True}
        cached, weights = seconds_of_epochs(config, directory / "with")
        stored = sum(
            file.stat().st_size for file in (directory / "cache").rglob("*") if file.is_file()
        )
        report(
            "embedding_cache",
            sentences=arguments.sentences,
            baseline="the same training without the cache, in the same run",
            epoch_seconds_without_cache=round(median(baseline), 2),
            first_epoch_seconds=round(cached[0], 2),
            later_epoch_seconds=round(median(cached[1:]), 3),
            ratio=round(median(baseline) / median(cached[1:]), 1),
            cache_mb=round(stored / 10**6, 1),
            same_weights=all(weights[name].equal(expected[name]) for name in expected),
        )


if __name__ == "__main__":
    main()
