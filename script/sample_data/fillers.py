"""Phrases of the sentences that are no entities: dates, amounts, reasons, things."""

from typing import Callable

from script.sample_data.dice import Dice
from script.sample_data.entities import Casting
from script.sample_data.tree import Leaf, Phrase, words

_DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
_MONTHS = (
    "January February March April May June July August September October November December".split()
)
_SEASONS = "spring summer autumn winter".split()
_SUBJECTS = (
    "biology law history chemistry physics music medicine economics geology philosophy".split()
)
_OBJECTS = "painting piano clock camera horse carpet telescope printer guitar desk".split()


class Fillers:
    """
    Writes the fillers of one document.

    # Parameters

    casting : `Casting`
        Supplies nouns.
    dice : `Dice`
        The document's choices.
    """

    def __init__(self, casting: Casting, dice: Dice) -> None:
        self._casting = casting
        self._dice = dice
        self._makers: dict[str, Callable[[], list]] = {
            "when": lambda: self._when() if dice.chance(0.33) else [],
            "reason": lambda: self._reason() if dice.chance(0.35) else [],
            "the_thing": lambda: [self._thing("the")],
            "a_thing": lambda: [self._thing("a")],
            "thing": lambda: [self._thing("the")],
            "stuff": self._stuff,
            "bare": lambda: words(casting.stuff(), "NN"),
            "money": self._money,
            "percent": self._percent,
            "year": lambda: [self._date(str(1950 + dice.below(75)), "CD")],
            "day": lambda: [self._date(dice.pick(_DAYS), "NNP")],
            "number": lambda: words(f"{2 + dice.below(80)},{100 + dice.below(900)}", "CD"),
            "age": lambda: words(str(19 + dice.below(60)), "CD"),
            "score": lambda: words(f"{1 + dice.below(5)}-{dice.below(5)}", "CD"),
        }

    def fill(self, name: str, argument: str) -> list:
        """The leaves and phrases of a filler, as `when` or `thing:object`; may be empty."""
        if argument == "subject":
            return [Phrase("NP", words(self._dice.pick(_SUBJECTS), "NN"))]
        if argument == "object":
            return [Phrase("NP", [Leaf("a", "DT"), Leaf(self._dice.pick(_OBJECTS), "NN")])]
        return self._makers[name]()

    def opening(self) -> Phrase:
        """A date or a circumstance that opens a sentence."""
        leaves = self._when() if self._dice.chance(0.6) else self._reason()
        return Phrase("PP", leaves)

    def _thing(self, article: str) -> Phrase:
        noun = self._casting.thing()
        leaves = [Leaf(noun, "NN")]
        if self._dice.chance(0.5):
            leaves.insert(0, Leaf(self._casting.qualifier(), "NN"))
        if self._dice.chance(0.25):
            leaves.insert(0, Leaf(self._casting.quality(), "JJ"))
        if article == "a" and leaves[0].word[0] in "aeiou":
            article = "an"
        return Phrase("NP", [Leaf(article, "DT"), *leaves])

    def _stuff(self) -> list:
        quantity = self._dice.pick(("more", "some", ""))
        qualifier = words(self._casting.qualifier(), "NN") if self._dice.chance(0.2) else []
        return [
            Phrase("NP", [*words(quantity, "JJ"), *qualifier, Leaf(self._casting.stuff(), "NN")])
        ]

    def _money(self) -> list:
        amount = str(2 + self._dice.below(97))
        form = self._dice.below(4)
        if form == 0:
            leaves = [
                Leaf("$", "$"),
                *words(f"{amount} {self._dice.pick(('million', 'billion'))}", "CD"),
            ]
        elif form == 1:
            leaves = [Leaf("$", "$"), Leaf(f"{amount},{100 + self._dice.below(900)}", "CD")]
        elif form == 2:
            leaves = [
                *words(f"{amount} million", "CD"),
                Leaf(self._dice.pick(("dollars", "euros", "pounds")), "NNS"),
            ]
        else:
            leaves = [
                Leaf(f"{amount}00", "CD"),
                Leaf(self._dice.pick(("dollars", "euros", "pounds")), "NNS"),
            ]
        return [Phrase("NP", leaves, name="MONEY")]

    def _percent(self) -> list:
        number = f"{1 + self._dice.below(60)}"
        leaves = [Leaf(number, "CD"), Leaf(self._dice.pick(("percent", "%")), "NN")]
        return [Phrase("NP", leaves, name="PERCENT")]

    def _reason(self) -> list:
        word = self._dice.pick(("after", "before", "despite", "because of"))
        return [*words(word, "IN"), self._thing("the")]

    def _date(self, text: str, tag: str) -> Phrase:
        return Phrase("NP", words(text, tag), name="DATE")

    def _when(self) -> list:
        dice = self._dice
        form = dice.below(8)
        if form == 0:
            return [Leaf("on", "IN"), self._date(dice.pick(_DAYS), "NNP")]
        if form == 1:
            return [Leaf("in", "IN"), self._date(str(1950 + dice.below(75)), "CD")]
        if form == 2:
            return [Leaf("in", "IN"), self._date(dice.pick(_MONTHS), "NNP")]
        if form == 3:
            return [
                Leaf("on", "IN"),
                self._date(f"{dice.pick(_MONTHS)} {1 + dice.below(28)}", "NNP"),
            ]
        if form == 4:
            return [
                self._date(f"last {dice.pick((*_DAYS, *_MONTHS, 'year', 'week', 'month'))}", "NN")
            ]
        if form == 5:
            unit = dice.pick(("years", "months", "weeks", "days"))
            return [
                self._date(f"{dice.pick(('two', 'three', 'ten', 'six', 'many'))} {unit} ago", "NN")
            ]
        if form == 6:
            return [
                Leaf("in", "IN"),
                self._date(f"the {dice.pick(_SEASONS)} of {1950 + dice.below(75)}", "NN"),
            ]
        return [self._date(dice.pick(("yesterday", "this month", "this week", "today")), "NN")]
