import os
import subprocess
import sys

import numpy

from hmtl.probing.bag_of_embeddings import DIMENSION, BagOfEmbeddings
from tests.running import REPOSITORY


def test_vector_is_the_mean_of_the_words_vectors() -> None:
    bag = BagOfEmbeddings()
    she, left = bag.encode([["she"], ["left"]])
    (both,) = bag.encode([["she", "left"]])
    numpy.testing.assert_allclose(both, (she + left) / 2, atol=1e-6)


def test_order_and_case_make_no_difference() -> None:
    bag = BagOfEmbeddings()
    one, other, third = bag.encode([["She", "left"], ["left", "she"], ["left", "he"]])
    numpy.testing.assert_allclose(one, other, atol=1e-6)
    assert numpy.abs(one - third).max() > 0.1


def test_sentence_without_words_is_zero() -> None:
    assert not BagOfEmbeddings().encode([[]]).any()
    assert BagOfEmbeddings().encode([[]]).shape == (1, DIMENSION)


def test_words_have_the_same_vectors_in_every_process() -> None:
    program = (
        "from hmtl.probing.bag_of_embeddings import BagOfEmbeddings;"
        "print(BagOfEmbeddings().encode([['Oslo', 'œuvre']]).tobytes().hex())"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    }
    assert printed == {BagOfEmbeddings().encode([["Oslo", "œuvre"]]).tobytes().hex() + "\n"}
