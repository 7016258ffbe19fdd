"""ELMo in miniature: options and weights in the format of the released files, with random numbers in them."""

import json
from pathlib import Path

import h5py
import numpy

NUM_CHARACTERS = 261
CHARACTER_DIM = 3
# Pairs of width and number.
FILTERS = ((1, 2), (2, 3))
NUM_LAYERS = 2
NUM_HIGHWAYS = 1
NUM_GATES = 4
# Of the uniform distribution that the weights come from.
RANGE = 0.5


def write_elmo_files(
    directory: Path, projection_dim: int = 4, cell_size: int = 5, seed: int = 0
) -> tuple[Path, Path]:
    """
    # Parameters

    directory : `Path`
        Where to write; must exist.
    projection_dim : `int`, optional (default = `4`)
        What each direction's LSTM writes; a token's vector is twice as wide (512 in the released ELMo).
    cell_size : `int`, optional (default = `5`)
        The width of the LSTMs' cells (4096 there).
    seed : `int`, optional (default = `0`)

    # Returns

    `Tuple[Path, Path]`
        The options file (JSON) and the weights file (HDF5).
    """
    options_file, weight_file = directory / "elmo_options.json", directory / "elmo_weights.hdf5"
    options_file.write_text(json.dumps(_options(projection_dim, cell_size)))
    random = numpy.random.default_rng(seed)
    num_filters = sum(number for _, number in FILTERS)
    shapes = {
        "char_embed": (NUM_CHARACTERS, CHARACTER_DIM),
        **{f"CNN/W_cnn_{i}": (1, w, CHARACTER_DIM, n) for i, (w, n) in enumerate(FILTERS)},
        **{f"CNN/b_cnn_{i}": (number,) for i, (_, number) in enumerate(FILTERS)},
        "CNN_proj/W_proj": (num_filters, projection_dim),
        "CNN_proj/b_proj": (projection_dim,),
    }
    for highway in range(NUM_HIGHWAYS):
        for gate in ("transform", "carry"):
            shapes[f"CNN_high_{highway}/W_{gate}"] = (num_filters, num_filters)
            shapes[f"CNN_high_{highway}/b_{gate}"] = (num_filters,)
    for direction in range(2):
        for layer in range(NUM_LAYERS):
            cell = f"RNN_{direction}/RNN/MultiRNNCell/Cell{layer}/LSTMCell"
            shapes[f"{cell}/W_0"] = (2 * projection_dim, NUM_GATES * cell_size)
            shapes[f"{cell}/B"] = (NUM_GATES * cell_size,)
            shapes[f"{cell}/W_P_0"] = (cell_size, projection_dim)
    with h5py.File(weight_file, "w") as file:
        for name, shape in shapes.items():
            file[name] = random.uniform(-RANGE, RANGE, shape).astype("float32")
    return options_file, weight_file


def _options(projection_dim: int, cell_size: int) -> dict:
    return {
        "lstm": {
            "use_skip_connections": True,
            "projection_dim": projection_dim,
            "cell_clip": 3,
            "proj_clip": 3,
            "dim": cell_size,
            "n_layers": NUM_LAYERS,
        },
        "char_cnn": {
            "activation": "relu",
            "embedding": {"dim": CHARACTER_DIM},
            "filters": [list(entry) for entry in FILTERS],
            "max_characters_per_token": 50,
            "n_characters": NUM_CHARACTERS + 1,
            "n_highway": NUM_HIGHWAYS,
        },
    }
