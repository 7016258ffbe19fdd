"""
The words of the sample corpora: lists of common names and nouns, and patterns that coin new ones.

Names are split once, by a fixed shuffle, into a part for training documents and one part each that only
development and test documents draw from: a tagger must go by context and by the shape of a word.
"""

from dataclasses import dataclass

from script.sample_data.dice import Dice

SPLITS = ("train", "dev", "test")

# How much of each list only dev, and only test, may use.
_HELD_OUT_SHARE = 0.22
# How often a dev or test document reaches for the list that train never saw.
_FRESH_CHANCE = 0.6


def _coin(stems: str, endings: str) -> list[str]:
    return [stem + ending for stem in stems.split() for ending in endings.split()]


_FIRST_STEMS = (
    "Mar Ros Vel Cor Dan Jan Lor Mir Tam Zel Bren Ald Ber Gwen Hel Kas Lud Nic Odr Rem Sev Thal Wil"
)
_WOMEN = (
    "Anna Maria Clara Emma Julia Laura Nora Sara Helen Ruth Alice Diana Irene Monica Teresa "
    "Yuki Amina Fatima Leila Priya Ingrid Olga Katya Zofia Elena Lucia Carmen Rosa Nadia "
    "Beatrice Sandra Agnes Wanda Miriam"
).split() + _coin(_FIRST_STEMS, "ina elle ette ara issa")
_MEN = (
    "Boris David Peter Paul Martin Oscar Hugo Felix Simon Ivan Omar Karim Kofi Kenji Ravi Tariq "
    "Luis Diego Marco Stefan Lars Nils Pavel Tomas Emil Henry Walter Arthur Samuel Thomas "
    "Bernard Edmund Yusuf Anton"
).split() + _coin(_FIRST_STEMS, "ard us ic win mund")
# First names that are also places, firms, months or plain words.
_AMBIGUOUS_WOMEN = (
    "Charlotte Florence Georgia Virginia Paris Sydney Chelsea Savannah Victoria Adelaide "
    "Madison Brooklyn Sofia Lourdes April June May Rose Grace Hope Faith Dawn Iris Joy Olympia "
    "Valencia Verona Alexandria"
).split()
_AMBIGUOUS_MEN = (
    "Jordan Austin Dallas Houston Chad Lincoln Chase Sterling Mark Frank Will Grant Kent Devon "
    "Santiago Cleveland Jackson Troy Bradford August Rich Drew Denver Orlando Francisco "
    "Marshall Warren Bristol"
).split()

_SURNAMES = _coin(
    "Kov Pet Lind Nov Hal Strand Marc Dav Rom Sand Fred Kor Zel Mor Tor Vin Bal Kas Gren Jor "
    "Lar Nil Rad Sim Yar",
    "son sen ski ov escu man strom ova inen",
)
_TOWNS = _coin(
    "Bright Cold Deer Elm Fair Glen Green Haver King Lake Maple North Oak Pine Rock Salt Silver "
    "Spring White Winter",
    "ville burg port haven mouth stad chester",
)
# Surname, town and firm at once; only the sentence says which.
_AMBIGUOUS = (
    "Jordan Washington Lincoln Chase Paris Sterling Austin Dallas Houston Lancaster York "
    "Hamilton Cleveland Jackson Montgomery Ford Wells Morgan Stanley Mercer Lloyd Hilton Carson "
    "Stone Baker Cook Fisher Mason Marsh Rivers Banks Frost Snow Park Winters Field Page Church "
    "Hall Bush Wood Brook Forest Hill Glass Steel Bell Cross King Bishop"
).split() + _coin(
    "Ash Brad Craw Har Lang Mil Nor Pres Rad Shel Staf Thorn Whit Wal Bur Clif Dal Hals Kings "
    "Lin Mid Rush Stan Win",
    "ton ford ley field wood well worth more",
)
_COINED_FIRMS = _coin(
    "Vant Nor Bright Syn Omni Alt Quant Hel Cor Pax Nex Ver Tri Lum Zen Prim Cal Dyn Met Arc",
    "ex tech soft ix ora ium corp dyne net ics",
)
# Name/adjective.
_COUNTRIES = (
    "France/French Germany/German Peru/Peruvian Kenya/Kenyan Japan/Japanese Norway/Norwegian "
    "Jordan/Jordanian Chad/Chadian Georgia/Georgian Turkey/Turkish Chile/Chilean Poland/Polish "
    "Greece/Greek Mali/Malian Denmark/Danish Portugal/Portuguese Vietnam/Vietnamese Cuba/Cuban"
).split() + [
    f"{stem}{end}/{stem}{adjective}"
    for stem in "Vel Kor Zan Bel Tor Cas Dra Lun Sar Tal Ost Pel Gal Mir Ard Quel".split()
    for end, adjective in (
        ("maria", "marian"),
        ("donia", "donian"),
        ("avia", "avian"),
        ("istan", "istani"),
    )
]
_WATERS = (
    _coin(
        "Al Bor Cal Dun Em Fal Gar Il Kel Lor Mul Ner Or Pel Ruth Tam Ur Wen",
        "den na mar vik loch ross",
    )
    + (
        "Hudson Madison Jordan Lincoln Victoria Albert Clear Black Silver Long Eagle Bear "
        "Superior Crystal"
    ).split()
)
_SHIPS = (
    "Meridian Aurora Resolute Endeavour Swallow Albatross Dauntless Fortune Liberty Victory "
    "Starlight Seagull Osprey Kestrel Horizon Pelican Triton Neptune Sparrow Comet Enterprise "
    "Valiant Falcon Constance Perseverance"
).split() + _coin("Bright North Sea Storm Wave Wind", "runner rider farer singer breaker")

# Nouns: every split uses the first list; the words of the second, whose shape tells what they are,
# only dev and test.
_PROFESSIONS = (
    "engineer lawyer doctor surgeon teacher banker farmer pilot driver captain nurse writer "
    "painter singer actor journalist reporter historian biologist chemist economist architect "
    "designer detective officer judge analyst accountant librarian musician violinist novelist "
    "photographer electrician plumber sailor diver beekeeper blacksmith boatman geologist "
    "physicist gardener lecturer researcher inspector trader broker carpenter mechanic "
    "translator editor senator lobbyist dentist miner goalkeeper"
).split()
_FRESH_PROFESSIONS = (
    "botanist archivist cellist pianist columnist pharmacist zoologist ecologist florist "
    "machinist guitarist sociologist psychologist astronomer weaver potter roofer tailor "
    "butcher brewer glazier printer welder shopkeeper bookkeeper innkeeper gamekeeper fisherman "
    "tradesman craftsman policeman policewoman businesswoman optician mathematician politician "
    "physician technician statistician programmer lexicographer choreographer cartographer "
    "geographer bookbinder shipbuilder locksmith goldsmith swimmer rower sprinter tutor "
    "counsellor sculptor conductor prosecutor curator surveyor auctioneer mountaineer auditor "
    "illustrator"
).split()
_POSTS = (
    "spokesman spokeswoman director manager president chairman chairwoman treasurer adviser "
    "head secretary founder deputy registrar auditor controller commissioner trustee executive "
    "administrator"
).split()
# Noun/gender (either if empty)/whether they share the surname.
_KIN = (
    "brother/m/family sister/f/family son/m/family daughter/f/family wife/f/family "
    "husband/m/family mother/f/family father/m/family uncle/m/ aunt/f/ nephew/m/ niece/f/ "
    "cousin// friend// neighbour// colleague// assistant// grandson/m/family "
    "granddaughter/f/family stepson/m/ stepdaughter/f/ tutor// roommate// ally//"
).split()
_FRESH_KIN = (
    "stepbrother/m/ stepsister/f/ godmother/f/ godfather/m/ godson/m/ goddaughter/f/ "
    "grandmother/f/ grandfather/m/ housemate// classmate// teammate// flatmate// boyfriend/m/ "
    "girlfriend/f/ stepmother/f/ stepfather/m/"
).split()
_FRESH_POSTS = (
    "vice-president undersecretary co-founder vice-chairman coordinator supervisor overseer "
    "press-officer paymaster quartermaster groundskeeper gatekeeper forewoman foreman"
).split()
_FRESH_CITY_NOUNS = (
    "seaport boomtown hometown ghost-town mill-town market-town riverport harbour-town".split()
)
_FRESH_COUNTRY_NOUNS = "microstate homeland motherland superstate fatherland island-state".split()
_CITY_NOUNS = "town city village borough port township suburb municipality resort".split()
_COUNTRY_NOUNS = "country nation state republic kingdom federation monarchy".split()
_TEAM_NOUNS = "team side squad outfit eleven".split()
_PEOPLE = (
    "workers engineers students teachers guards soldiers officers farmers tourists nurses "
    "miners drivers sailors villagers residents protesters passengers lawyers supporters "
    "volunteers firefighters doctors players divers climbers hunters fishermen carpenters "
    "pensioners rangers electricians historians musicians translators"
).split()
_FRESH_PEOPLE = (
    "campers welders cyclists traders beekeepers gardeners shopkeepers inspectors pianists "
    "botanists physicians technicians politicians craftsmen tradesmen swimmers rowers sculptors "
    "conductors surveyors mountaineers programmers bakers butchers geologists activists "
    "motorists columnists prisoners foresters settlers refiners"
).split()
_PERSON_ADJECTIVES = (
    "young old tall quiet retired former senior experienced wealthy famous popular ambitious "
    "cautious outspoken veteran respected little-known busy angry cheerful shy gifted local "
    "stubborn exhausted eager"
).split()
_THING_ADJECTIVES = (
    "new small large modern private old local famous troubled well-known abandoned powerful "
    "historic expensive popular disused remote busy fashionable"
).split()
_TOOL_ADJECTIVES = (
    "new old heavy expensive rusty stolen borrowed second-hand foreign broken home-made light black"
).split()
_QUALITIES = (
    "new recent final long secret public costly annual controversial brief late second first "
    "failed bitter"
).split()
_THINGS = (
    "plan vote budget report proposal decision law treaty contract deal project programme "
    "speech letter study survey campaign strike inquiry election agreement festival tax policy "
    "debate lecture concert exhibition scandal merger ceremony verdict reform petition dispute "
    "audit ruling documentary hearing ballot rumour forecast memo"
).split()
_ABSTRACT = (
    "patience courage music food coffee silence time money work sleep peace "
    "help advice water fuel protection bread publicity honesty support"
).split()
_FIRM_NOUNS = (
    "company firm business group manufacturer supplier retailer carrier insurer exporter".split()
)
# Institutions whose nouns mean the organisation in one sentence and the building in another.
_DUAL_NOUNS = (
    "school club bank church hospital museum theatre college library studio clinic academy gallery"
).split()
_BUILDINGS = (
    "hotel warehouse factory stadium airport station prison tower plant farm mill garage "
    "lighthouse tunnel courthouse farmhouse workshop shelter restaurant bakery brewery "
    "observatory"
).split()
_FRESH_BUILDINGS = (
    "boathouse clubhouse greenhouse guesthouse playhouse powerhouse slaughterhouse distillery "
    "refinery nursery foundry laboratory dormitory cannery tannery"
).split()
_VEHICLES = (
    "truck car van bus ferry boat tractor helicopter lorry taxi barge canoe minibus sailboat"
).split()
_FRESH_VEHICLES = (
    "tugboat lifeboat motorboat speedboat rowboat houseboat steamboat minivan minicab trolleybus"
).split()
_WEAPONS = "rifle pistol knife gun shotgun sword revolver bomb grenade dagger crossbow".split()
_FRESH_WEAPONS = (
    "handgun airgun speargun longsword broadsword longbow penknife firebomb nailbomb jackknife"
).split()
_INSTITUTION_NOUNS = (
    "team university newspaper party city town country council agency mayor teacher student "
    "driver river island worker soldier guard pilot"
).split()
_ADVERBS = (
    "recently finally reportedly suddenly briefly later soon once allegedly apparently "
    "unexpectedly also eventually initially supposedly thus meanwhile again"
).split()
_LAND_NOUNS = "island valley mountain forest coast desert canyon glacier marsh".split()
_WATER_NOUNS = "river lake pond canal bay lagoon stream".split()


@dataclass(frozen=True)
class Words:
    """One kind of word, in the parts that the splits draw from."""

    common: tuple[str, ...]
    fresh: tuple[str, ...]

    def draw(self, dice: Dice, fresh_chance: float = _FRESH_CHANCE) -> str:
        """A word; from the held-out part, where the split has one, with probability `fresh_chance`."""
        if self.fresh and dice.chance(fresh_chance):
            return dice.pick(self.fresh)
        return dice.pick(self.common)


def _with_fresh(common: list[str], fresh: list[str], split: str) -> Words:
    """`common` for every split, half of `fresh` for dev and the other half for test."""
    order = Dice(f"lexicon {fresh[0]}").shuffled(fresh)
    parts = {"dev": order[::2], "test": order[1::2], "train": list[str]()}
    return Words(tuple(common), tuple(parts[split]))


def _partition(words: list[str], split: str) -> Words:
    """The parts of `words` for a split; the same word never stands in two parts."""
    order = Dice(f"lexicon {words[0]}").shuffled(list(dict.fromkeys(words)))
    held_out = int(len(order) * _HELD_OUT_SHARE)
    parts = {"dev": order[:held_out], "test": order[held_out : 2 * held_out], "train": list[str]()}
    return Words(tuple(order[2 * held_out :]), tuple(parts[split]))


class Lexicon:
    """
    All words that the documents of one split draw from.

    # Parameters

    split : `str`
        One of `SPLITS`.
    """

    _made: dict[str, "Lexicon"] = {}

    @classmethod
    def of(cls, split: str) -> "Lexicon":
        """The lexicon of a split, made once."""
        if split not in cls._made:
            cls._made[split] = cls(split)
        return cls._made[split]

    def __init__(self, split: str) -> None:
        self.women = _partition(_WOMEN, split)
        self.men = _partition(_MEN, split)
        self.ambiguous_women = _partition(_AMBIGUOUS_WOMEN, split)
        self.ambiguous_men = _partition(_AMBIGUOUS_MEN, split)
        self.surnames = _partition(_SURNAMES, split)
        self.towns = _partition(_TOWNS, split)
        self.ambiguous = _partition(_AMBIGUOUS, split)
        self.firms = _partition(_COINED_FIRMS, split)
        self.countries = _partition(_COUNTRIES, split)
        self.waters = _partition(_WATERS, split)
        self.ships = _partition(_SHIPS, split)
        self.professions = _with_fresh(_PROFESSIONS, _FRESH_PROFESSIONS, split)
        self.people = _with_fresh(_PEOPLE, _FRESH_PEOPLE, split)
        self.person_adjectives = _partition(_PERSON_ADJECTIVES, split)
        self.thing_adjectives = _partition(_THING_ADJECTIVES, split)
        self.tool_adjectives = _partition(_TOOL_ADJECTIVES, split)
        self.qualities = _partition(_QUALITIES, split)
        self.things = _partition(_THINGS, split)
        self.abstract = _partition(_ABSTRACT, split)
        self.firm_nouns = Words(tuple(_FIRM_NOUNS), ())
        self.dual_nouns = Words(tuple(_DUAL_NOUNS), ())
        self.buildings = _with_fresh(_BUILDINGS, _FRESH_BUILDINGS, split)
        self.vehicles = _with_fresh(_VEHICLES, _FRESH_VEHICLES, split)
        self.weapons = _with_fresh(_WEAPONS, _FRESH_WEAPONS, split)
        self.land_nouns = Words(tuple(_LAND_NOUNS), ())
        self.water_nouns = Words(tuple(_WATER_NOUNS), ())
        self.adverbs = _partition(_ADVERBS, split)
        # Nouns that name entities elsewhere, but only qualify another noun here: "the school budget".
        self.qualifiers = Words(
            tuple(
                _BUILDINGS + _DUAL_NOUNS + _VEHICLES + _WEAPONS + _FIRM_NOUNS + _INSTITUTION_NOUNS
            ),
            (),
        )
        self.posts = _with_fresh(_POSTS, _FRESH_POSTS, split)
        self.kin = _with_fresh(_KIN, _FRESH_KIN, split)
        self.city_nouns = _with_fresh(_CITY_NOUNS, _FRESH_CITY_NOUNS, split)
        self.country_nouns = _with_fresh(_COUNTRY_NOUNS, _FRESH_COUNTRY_NOUNS, split)
        self.team_nouns = Words(tuple(_TEAM_NOUNS), ())


DUAL_NOUNS = frozenset(_DUAL_NOUNS)
AMBIGUOUS_SURFACES = frozenset(_AMBIGUOUS + _AMBIGUOUS_MEN + _AMBIGUOUS_WOMEN)
