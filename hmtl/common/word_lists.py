"""Words of English that are treated apart."""

# Personal to reflexive, and the demonstratives that stand alone.
PRONOUNS = frozenset(
    "i me my mine myself you your yours yourself yourselves he him his himself she her hers herself it its "
    "itself we us our ours ourselves they them their theirs themselves this that these those who whom whose "
    "which one oneself".split()
)
