import random

import torch

from hmtl.modules.same_words import SameWords, number_words

MAX_WIDTH = 4


def test_spans_are_the_same_if_their_words_are() -> None:
    random.seed(1)
    # Long enough that the powers of the base overflow many times.
    documents = [random.choices("abcdefgh", k=length) for length in (3000, 7)]
    numbers = number_words(documents, 3000)
    words = SameWords(numbers, MAX_WIDTH)
    spans = [
        [(start, min(start + random.randrange(5), len(document) - 1)) for start in starts]
        for document in documents
        for starts in [random.choices(range(len(document)), k=200)]
    ]
    table = torch.tensor(spans)
    for document, own, hashes, last in zip(
        documents, spans, words.hashes(table).tolist(), words.last_words(table).tolist()
    ):
        texts = ["".join(document[start : end + 1]) for start, end in own]
        ends = [text[-1] for text in texts]
        for found, expected in ((hashes, texts), (last, ends)):
            # One hash a text, and one text a hash.
            assert len(set(found)) == len(set(expected)) == len(set(zip(found, expected)))


def test_capitals_are_put_aside_and_padding_is_no_word() -> None:
    assert number_words([["The", "end", "the"], ["x"], []], 4).tolist() == [
        [1, 2, 1, 0],
        [1, 0, 0, 0],
        [0, 0, 0, 0],
    ]


def test_kinds_count_the_spans_of_a_document_and_not_what_reaches_past_its_end() -> None:
    words = SameWords(number_words([["a", "b", "a", "b", "a", "b", "a", "b", "c"]], 11), MAX_WIDTH)
    # By how often their words, and then their last word, are there: once, twice, 3 or 4 times, more often.
    expected = {
        (0, 0): (2, 2),
        (0, 1): (2, 2),
        (0, 2): (2, 2),
        (0, 3): (2, 2),
        (7, 8): (0, 0),
        (8, 8): (0, 0),
    }
    spans = torch.tensor([list(expected)])
    assert words.kinds(spans).tolist() == [[4 * whole + last for whole, last in expected.values()]]
    starts, ends = spans.unbind(-1)
    assert torch.equal(words.kinds_of_all()[0, starts, ends - starts], words.kinds(spans))
