import json
from pathlib import Path

import pytest
import torch
from allennlp.common.checks import ConfigurationError
from allennlp.data import Vocabulary
from allennlp.modules.elmo import Elmo

from hmtl.common.files import sha256_of_tree
from hmtl.common.tensors import load_tensors
from hmtl.config.loading import load_config
from hmtl.errors import DataError
from hmtl.fine_tuning.reference_run import RELATION_TYPES, import_directory, read_relation_types
from hmtl.runs.assembly import build_model, parse_config
from tests.elmo_files import write_elmo_files
from tests.reference_files import HIDDEN, input_dim, num_layers, write_reference_dir

REPOSITORY = Path(__file__).resolve().parents[2]
ALL_TASKS = ("ner", "emd", "relation", "coref")


@pytest.fixture
def directories(tmp_path: Path) -> tuple[Path, Path]:
    return tmp_path / "reference", tmp_path / "runs" / "imported"


def imported_model(directory: Path, task: str):
    vocab = Vocabulary.from_files(str(directory / "vocabulary"))
    model = build_model(parse_config(load_config(directory / "config.json")), vocab)
    model.load_state_dict(load_tensors(directory / f"best_{task}.th"))
    return model.eval()


def refused(reference: Path, target: Path, match: str, **options) -> None:
    with pytest.raises(DataError, match=match):
        import_directory(reference, target, **options)
    assert not target.exists()
    assert not target.parent.exists() or not list(target.parent.iterdir())


def test_import_gives_every_tensor_its_place(directories) -> None:
    source, target = directories
    weights = write_reference_dir(source, ALL_TASKS)
    assert import_directory(source, target) == [f"best_{task}.th" for task in ALL_TASKS]
    state = imported_model(target, "relation").state_dict()
    pairs = {
        "_text_field_embedder.token_embedder_tokens.weight": (
            "encoders.text_field_embedder.token_embedder_tokens.weight"
        ),
        "_encoder_relation._module.weight_hh_l1_reverse": (
            "encoders.encoders.relation.backward_layers.1.weight_hh_l0"
        ),
        "_tagger_emd.crf.transitions": "heads.emd.crf.transitions",
        "_tagger_emd.tag_projection_layer._module.bias": "heads.emd.tag_projection.bias",
        "_tagger_relation._W": "heads.relation.second_projection",
        "_tagger_coref._mention_pruner._scorer.1._module.weight": (
            "heads.coref.mention_scorer.output.weight"
        ),
        "_tagger_coref._distance_embedding.weight": (
            "heads.coref.antecedent_scorer.distance_embedding.weight"
        ),
    }
    for theirs, ours in pairs.items():
        assert torch.equal(weights[theirs], state[ours])
    shared = ("text_field_embedder", "encoder.", "_context_layer", "_constraint_mask")
    own = [
        name
        for name in weights
        if name.startswith("_text_field_embedder") or not any(part in name for part in shared)
    ]
    assert len(state) == len(own)


@pytest.mark.parametrize("task", ALL_TASKS)
def test_imported_encoders_compute_what_those_of_torch_do(directories, task) -> None:
    source, target = directories
    weights = write_reference_dir(source, ALL_TASKS)
    import_directory(source, target)
    ours = imported_model(target, task).encoders.encoders[task]
    width = input_dim(task, ALL_TASKS)
    theirs = torch.nn.LSTM(width, HIDDEN, num_layers(task), bidirectional=True, batch_first=True)
    prefix = f"_encoder_{task}._module."
    theirs.load_state_dict(
        {name.removeprefix(prefix): w for name, w in weights.items() if name.startswith(prefix)}
    )
    inputs = torch.randn(2, 5, width)
    mask = torch.ones(2, 5, dtype=torch.bool)
    torch.testing.assert_close(ours(inputs, mask), theirs(inputs)[0])


@pytest.mark.parametrize("task", ALL_TASKS)
def test_import_takes_directories_of_one_task(directories, task) -> None:
    source, target = directories
    write_reference_dir(source, [task])
    assert import_directory(source, target) == [f"best_{task}.th"]
    assert imported_model(target, task).levels == [task]


def test_import_takes_weights_th_where_there_are_no_best_weights(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["ner", "emd"])
    (source / "best_ner.th").unlink()
    (source / "best_emd.th").rename(source / "weights.th")
    import_directory(source, target)
    states = [load_tensors(target / f"best_{task}.th") for task in ("ner", "emd")]
    assert states[0].keys() == states[1].keys()


def test_import_refuses_a_directory_without_weights(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["ner"])
    (source / "best_ner.th").unlink()
    refused(source, target, r"neither best_ner\.th nor weights\.th")


def test_import_takes_other_recurrent_encoders(directories) -> None:
    source, target = directories
    weights = write_reference_dir(source, ["ner"])
    gru = torch.nn.GRU(input_dim("ner", ["ner"]), HIDDEN, bidirectional=True).state_dict()
    for name, tensor in gru.items():
        weights[f"_encoder_ner._module.{name}"] = tensor
        weights[f"_tagger_ner.encoder._module.{name}"] = tensor
    torch.save(weights, source / "best_ner.th")
    import_directory(source, target, overrides='{"model.ner.encoder.type": "gru"}')
    state = imported_model(target, "ner").state_dict()
    assert torch.equal(state["encoders.encoders.ner._module.weight_hh_l0"], gru["weight_hh_l0"])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"_tagger_ner.surplus": torch.zeros(1)}, "no counterpart here: _tagger_ner.surplus"),
        (
            {"_encoder_ner._module.weight_ih_l7": torch.zeros(1)},
            "no counterpart here: _encoder_ner._module.weight_ih_l7",
        ),
        ({"_tagger_ner.crf.transitions": None}, r"missing .*: heads\.ner\.crf\.transitions"),
        (
            {"_tagger_ner.text_field_embedder.token_embedder_tokens.weight": torch.zeros(5, 4)},
            "copies of a shared module's, but are not: "
            r"_tagger_ner\.text_field_embedder\.token_embedder_tokens\.weight "
            r"\(of _text_field_embedder\.token_embedder_tokens\.weight\)",
        ),
        (
            {"_tagger_ner.crf.start_transitions": torch.zeros(9)},
            r"another shape: _tagger_ner\.crf\.start_transitions \(9,\), here \(5,\)",
        ),
    ],
)
def test_import_names_tensors_it_cannot_account_for(directories, change, message) -> None:
    source, target = directories
    weights = write_reference_dir(source, ["ner"])
    weights.update(change)
    kept = {name: tensor for name, tensor in weights.items() if tensor is not None}
    torch.save(kept, source / "best_ner.th")
    refused(source, target, rf"best_ner\.th: .*{message}")


def test_import_refuses_a_damaged_file(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["ner"])
    whole = (source / "best_ner.th").read_bytes()
    (source / "best_ner.th").write_bytes(whole[: len(whole) // 2])
    refused(source, target, r"best_ner\.th: cannot be read as a file of tensors")


def test_import_refuses_a_directory_without_vocabulary(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["ner"])
    (source / "vocabulary").rename(source / "elsewhere")
    refused(source, target, "vocabulary: there is no such directory")


def test_import_refuses_to_overwrite(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["ner"])
    target.mkdir(parents=True)
    with pytest.raises(DataError, match="is there already"):
        import_directory(source, target)


def test_import_names_the_relation_types_in_the_order_of_the_weights(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["relation"])
    import_directory(source, target)
    assert tuple(imported_model(target, "relation").heads["relation"].labels) == RELATION_TYPES


def test_import_refuses_relation_types_whose_order_it_cannot_know(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["relation"], relation_types=["PHYS", "P17", "P30"])
    refused(source, target, r"relation types \['P17', 'P30'\].*--relation-types")


def test_import_takes_the_order_of_relation_types_as_given(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["relation"], relation_types=["P_1", "P_2", "P3"])
    import_directory(source, target, relation_types=["P3", "P_1", "P_2"])
    assert imported_model(target, "relation").heads["relation"].labels == ["P3", "P_1", "P_2"]


def test_import_refuses_a_wrong_number_of_relation_types(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["relation"], relation_types=["P1", "P2"])
    types = ["P1", "P2", "P3"]
    refused(source, target, r"_tagger_relation\._V \(5, 2\), here \(5, 3\)", relation_types=types)


def test_import_leaves_a_vocabulary_of_types_alone(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["relation"], relation_types=["P1", "P2"])
    (source / "vocabulary" / "relation_ace_labels.txt").write_text("P2\nP1\n")
    import_directory(source, target)
    assert imported_model(target, "relation").heads["relation"].labels == ["P2", "P1"]


@pytest.mark.parametrize("content", ["", "PHYS\nART\nPHYS\n"])
def test_relation_types_must_be_listed_once_each(tmp_path: Path, content) -> None:
    (tmp_path / "types.txt").write_text(content)
    with pytest.raises(DataError, match="types.txt: must list relation types"):
        read_relation_types(tmp_path / "types.txt")


def test_import_lets_character_cnns_pool_as_then(directories) -> None:
    # Ours does not look at windows of padding; the 2018 library did.
    source, target = directories
    write_reference_dir(source, ["ner"])
    import_directory(source, target)
    embedders = load_config(target / "config.json")["model"]["text_field_embedder"]
    assert embedders["token_embedders"]["token_characters"]["encoder"]["pool_over_padding"] is True


def test_import_takes_weights_with_elmo_in_them(directories, tmp_path) -> None:
    source, target = directories
    weights = write_reference_dir(source, ["ner"])
    options_file, weight_file = write_elmo_files(tmp_path)
    elmo = Elmo(str(options_file), str(weight_file), 1)
    config = json.loads((source / "config.json").read_text())
    config["model"]["text_field_embedder"]["token_embedders"]["elmo"] = {
        "type": "elmo_token_embedder",
        "options_file": str(options_file),
        "weight_file": str(weight_file),
        "do_layer_norm": False,
        "dropout": 0.0,
    }
    indexers = config["task_ner"]["data_params"]["dataset_reader"]["token_indexers"]
    indexers["elmo"] = {"type": "elmo_characters"}
    width = input_dim("ner", ["ner"]) + elmo.get_output_dim()
    config["model"]["ner"]["encoder"]["input_size"] = width
    (source / "config.json").write_text(json.dumps(config))
    for direction in ("", "_reverse"):
        for prefix in ("_encoder_ner", "_tagger_ner.encoder"):
            name = f"{prefix}._module.weight_ih_l0{direction}"
            weights[name] = torch.ones(weights[name].size(0), width)
    for prefix in ("_text_field_embedder", "_tagger_ner.text_field_embedder"):
        for name, tensor in elmo.state_dict().items():
            weights[f"{prefix}.token_embedder_elmo._elmo.{name}"] = tensor + 1
    torch.save(weights, source / "best_ner.th")
    import_directory(source, target)
    state = imported_model(target, "ner").state_dict()
    found = [name for name in state if "token_embedder_elmo" in name]
    assert len(found) == len(elmo.state_dict())
    name = "scalar_mix_0.gamma"
    imported = state[f"encoders.text_field_embedder.token_embedder_elmo._elmo.{name}"]
    assert torch.equal(imported, elmo.state_dict()[name] + 1)


@pytest.mark.parametrize("written, meant", [("IOB1", "BIO"), (None, "BIO"), ("BIOUL", "BIOUL")])
def test_import_reads_names_with_the_tags_of_then(directories, written, meant) -> None:
    # What the 2018 code called IOB1 began every span with B.
    source, target = directories
    write_reference_dir(source, ["ner"])
    config = json.loads((source / "config.json").read_text())
    reader = config["task_ner"]["data_params"]["dataset_reader"]
    reader.update({"coding_scheme": written})
    if written is None:
        del reader["coding_scheme"]
    (source / "config.json").write_text(json.dumps(config))
    import_directory(source, target)
    imported = load_config(target / "config.json")["task_ner"]["data_params"]["dataset_reader"]
    assert imported["coding_scheme"] == meant


def test_import_needs_no_file_of_word_vectors(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["ner"])
    key = "model.text_field_embedder.token_embedders.tokens.pretrained_file"
    import_directory(source, target, overrides=f'{{"{key}": "not/there.txt"}}')
    assert (target / "best_ner.th").exists()


def test_import_makes_files_that_can_be_written(directories) -> None:
    source, target = directories
    write_reference_dir(source, ["relation"])
    for path in [*source.rglob("*"), source]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    import_directory(source, target)
    modes = [path.stat().st_mode & 0o200 for path in target.rglob("*")]
    assert modes and all(modes)


def test_command_tells_what_it_wrote(directories, run_script) -> None:
    source, target = directories
    write_reference_dir(source, ["relation"], relation_types=["P1", "P2"])
    (source / "types.txt").write_text("P2\nP1\n")
    arguments = [source, target, "--relation-types", source / "types.txt"]
    assert (
        run_script("hmtl import-reference", *arguments).out == f"{target}: wrote best_relation.th\n"
    )


def test_what_is_imported_stays_as_it_was(directories) -> None:
    source, target = directories
    write_reference_dir(source, ALL_TASKS)
    (source / "vocabulary" / ".lock").touch()
    before = sha256_of_tree(source)
    import_directory(source, target)
    assert sha256_of_tree(source) == before
    assert not list(target.rglob(".*"))


def test_label_namespace_cannot_name_a_file_elsewhere(directories) -> None:
    source, target = directories
    write_reference_dir(source, ALL_TASKS)
    overrides = json.dumps({"model.relation.tagger.label_namespace": "../../../mine"})
    with pytest.raises(ConfigurationError, match="the label_namespace '../../../mine'"):
        import_directory(source, target, overrides)
