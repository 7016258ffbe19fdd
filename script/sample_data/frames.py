# ruff: noqa: E501 (one frame a line, however long)
"""
The sentence frames of the sample corpora, one a line: `slots ; words ; relations`.

* Slots: `A=PER B=CO|UNI` names each argument and the kinds of entity it takes (`entities.KINDS`).
* Words: plain words, tagged by `tree.guess_tag` unless they carry a tag (`hired/VBD`). `(x y|z|)` is a choice,
  the empty one included, and may nest.
  - `{A}` the argument as a name, a noun or a pronoun, whichever the discourse allows; `{A~}` the same where the
    words of the sentence alone say what type it is, so that a bare ambiguous name and "it" are fair; `!` forbids
    pronouns; `{A's}` is its possessive; `{A=coach}` a noun predicated of A; `{A>who}` a relative pronoun.
  - `{kin:A} {staff:A} {crew:A} {folk:A} {own:A}` bring in new entities related to A: a relative or colleague, who
    speaks for A, whom A employs, who lives in A, what A owns. `{new:PPL}` is a new entity without a relation, and
    `{reporters} {people} {mayor} {Banks}` are nouns mentioned in passing.
  - `{when} {thing} {stuff} {money} {percent} {reason}` and the like are fillers and no entities (dates and amounts
    are names to NER, but no ACE mentions).
  - `was@A` agrees with A in number. `^` starts a new clause: pronouns may again refer to what stands before it.
* Relations: `TYPE ARG1 ARG2`, joined by commas. A frame without any is a negative example for its pair.
"""

PERSON_ORGANISATION = """
A=PER B=CO ; {A~} (joined/VBD|went/VBD to/TO work/VB for|signed/VBD a contract with|was@A taken/VBN on/RP by) {B~} as (a {A=researcher}|an {A=analyst}|the {A=treasurer}) {when} ; ORG-AFF A B
A=PER B=CO|UNI|AGENCY|PAPER ; {A~} (resigned/VBD from|stepped/VBD down/RP at|was@A dismissed/VBN by) {B~} {when} {reason} ; ORG-AFF A B
A=PER B=CO|PAPER ; {A~} (founded/VBD|started/VBD|set/VBD up/RP) {B} {when} (with {money}|) ; ORG-AFF A B
A=PER B=CO|PAPER|PARTY ; {B} was@B (founded/VBN|started/VBN|set/VBN up/RP) by {A~} {when} ; ORG-AFF A B
A=PER B=CO|UNI|AGENCY ; {B} (hired/VBD|recruited/VBD|appointed/VBD) {A} {when} (to improve/VB {the_thing}|) ; ORG-AFF A B
A=PER B=CO|UNI|AGENCY|PAPER ; {A~} , {A>who} had/VBD worked/VBN for {B} since {year} , (won/VBD an award|retired/VBD|fell/VBD ill) {when} ; ORG-AFF A B
A=PER B=TEAM ; {A~} (plays/VBZ for|signed/VBD with|scored/VBD twice for|coached/VBD) {B~} {when} ; ORG-AFF A B
A=PER B=PARTY ; {A~} (became/VBD a {A=member} of|was@A expelled/VBN from|rose/VBD to the top of) {B} {when} ; ORG-AFF A B
A=PER B=UNI ; {A~} (studied/VBD {thing:subject} at|graduated/VBD from|taught/VBD {thing:subject} at) {B~} {when} ; ORG-AFF A B
A=PER B=CO|AGENCY|UNI ; {A} (took/VBD charge of|runs/VBZ|now/RB leads/VBZ) {B} (, despite {thing}|) ; ORG-AFF A B
A=PER B=CO|PAPER|AGENCY C=CO|UNI ; {A} left/VBD {B} for {C} {when} ; ORG-AFF A B, ORG-AFF A C
A=PER B=PER C=CO|UNI|AGENCY ; {A~} and {B} (both/DT worked/VBD for|got/VBD jobs/NNS at|were/VBD employed/VBN by) {C} {when} ; ORG-AFF A C, ORG-AFF B C
A=PER B=PER C=CO|UNI ; {A~} , not {B} , (was@A hired/VBN by|got/VBD the job at|will/MD lead/VB) {C} ; ORG-AFF A C
A=PPL B=CO|INST ; {A!} (employed/VBN|hired/VBN) by {B~} (went/VBD on strike|demanded/VBD higher pay) {when} ; ORG-AFF A B
A=PPL B=CO|INST ; {A!} (work/VBP for|lost/VBD {A's} jobs/NNS at|were/VBD dismissed/VBN by) {B~} {reason} ; ORG-AFF A B
A=PER B=CO|AGENCY|UNI|PAPER|PARTY ; {A} (criticised/VBD|praised/VBD|ignored/VBD|thanked/VBD) {B} {when} {reason} ;
A=PER B=CO|AGENCY|PAPER ; {A} (sued/VBD|lost/VBD a lawsuit against|complained/VBD about) {B} (over {thing}|) {when} ;
A=PER B=CO|AGENCY|PAPER ; {B} (sued/VBD|accused/VBD|apologised/VBD to) {A} {when} {reason} ;
A=PER B=CO|AGENCY|PAPER|UNI ; {A} was@A (criticised/VBN|interviewed/VBN|sued/VBN|praised/VBN) by {B} {when} ;
A=PER B=CO|UNI ; {A} (turned/VBD down/RP an offer from|had/VBD never/RB heard/VBN of|refused/VBD to/TO work/VB for) {B} {when} ;
A=PPL B=CO|AGENCY ; {A} (protested/VBD against|wrote/VBD to|argued/VBD with|were/VBD angry with) {B} {when} {reason} ;
A=PER B=TEAM ; {A} (watched/VBD|booed/VBD|wrote/VBD about|lost/VBD a bet on) {B} {when} ;
"""

PERSON_PLACE = """
A=PER B=GPE ; {A~} (arrived/VBD in|flew/VBD to|reached/VBD|walked/VBD to|travelled/VBD to|landed/VBD in|drove/VBD to) {B~} {when} ; PHYS A B
A=PER B=GPE ; {A~} (spent/VBD the night in|was@A arrested/VBN in|was@A seen/VBN in|hid/VBD in|returned/VBD from) {B~} {when} ; PHYS A B
A=PPL B=GPE ; {A} (gathered/VBD in|camped/VBD near|were/VBD stranded/VBN in|marched/VBD through) {B~} {when} {reason} ; PHYS A B
A=PER B=GPE ; {A~} (was@A born/VBN in|grew/VBD up/RP in|settled/VBD in|studied/VBD in) {B~} {when} ; GEN-AFF A B
A=PER B=COUNTRY ; {A~} (is/VBZ a {A=citizen} of|holds/VBZ a passport from|became/VBD a {A=citizen} of|is/VBZ a {A=native} of) {B~} ; GEN-AFF A B
A=PER B=CITY ; {A~} (was@A elected/VBN {A=mayor} of|is/VBZ the {A=mayor} of|governed/VBD|represents/VBZ) {B~} {when} ; ORG-AFF A B
A=PER B=COUNTRY ; {A~} (is/VBZ {A=ambassador} of|negotiated/VBD on/IN behalf/NN of|was@A {A=president} of|fought/VBD for) {B~} {when} ; ORG-AFF A B
A=PER B=GPE ; {A~} (wrote/VBD a book about|lost/VBD faith in|dreamed/VBD of|raised/VBD {money} for|knew/VBD little/JJ about) {B} {when} ;
A=PER B=GPE ; {A~} (postponed/VBD a trip to|talked/VBD about the future of|painted/VBD pictures/NNS of|read/VBD about) {B~} {when} ;
A=PPL B=GPE ; {A} (criticised/VBD|complained/VBD about taxes/NNS in|wanted/VBD nothing from) {B} {reason} ;
A=PER B=GPE C=GPE ; {A~} , {A>who} was@A born/VBN in {B~} , (flew/VBD to|was@A arrested/VBN in) {C~} {when} ; GEN-AFF A B, PHYS A C
A=PER B=PER C=GPE ; {A~} met/VBD {B} in {C~} {when} {reason} ; PHYS A C, PHYS B C
A=PER B=PER C=GPE ; {A~} called/VBD {B} from {C~} {when} ; PHYS A C
A=PER B=GPE C=GPE ; {A~} (travelled/VBD|drove/VBD|took/VBD a train) from {B~} to {C~} {when} ; PHYS A B, PHYS A C
A=PER B=FAC ; {A~} (waited/VBD outside|was@A seen/VBN near|stayed/VBD at|arrived/VBD at|walked/VBD into|slept/VBD in|hid/VBD behind|was@A found/VBN in) {B~} {when} ; PHYS A B
A=PPL B=FAC ; {A} (gathered/VBD outside|were/VBD trapped/VBN in|ran/VBD out/IN of|stood/VBD near|entered/VBD) {B~} {when} ; PHYS A B
A=PPL B=FAC ; {B} was@B (crowded/VBN|packed/VBN|filled/VBN) with {A} {when} ; PHYS A B
A=PER B=FAC ; {A} (bought/VBD|owns/VBZ|sold/VBD|inherited/VBD|designed/VBD|rebuilt/VBD|rented/VBD out/RP|mortgaged/VBD|paid/VBD {money} for) {B} {when} (for {money}|) ; ART A B
A=PER B=FAC ; {B} was@B (built/VBN|designed/VBN|bought/VBN|sold/VBN|painted/VBN) by {A} {when} ; ART A B
A=PER B=FAC ; {A} (objected/VBD to|wrote/VBD about|joked/VBD about|asked/VBD about|admired/VBD) {B} {when} ;
A=PPL B=FAC ; {A} (demanded/VBD|rejected/VBD|voted/VBD against|talked/VBD about) {B} {reason} ;
A=PER B=FAC C=GPE ; {A} (owns/VBZ|bought/VBD|built/VBD) {B} in {C~} ; ART A B, PART-WHOLE B C
A=PER B=WATER ; {A~} (swam/VBD across|sailed/VBD on|fished/VBD in|rowed/VBD across) {B~} {when} ; PHYS A B
A=PER B=LOC ; {A~} (camped/VBD near|got/VBD lost near|was@A seen/VBN near|slept/VBD beside) {B~} {when} {reason} ; PHYS A B
A=PPL B=LOC ; {A} (walked/VBD along|reached/VBD|were/VBD rescued/VBN from|hiked/VBD to) {B~} {when} {reason} ; PHYS A B
A=PPL B=LOC ; {A} (come/VBP from|live/VBP near|have/VBP always/RB lived/VBN by) {B~} ; GEN-AFF A B
A=PER B=LOC ; {A~} (studied/VBD maps/NNS of|sang/VBD about|collected/VBD stories/NNS about|photographed/VBD) {B} {when} ;
"""

PERSON_PERSON = """
A=PER B=PER ; {A~} (married/VBD|divorced/VBD|is/VBZ married/VBN to|befriended/VBD|fell/VBD in love/NN with|got/VBD engaged/VBN to|lives/VBZ with) {B} {when} ; PER-SOC A B
A=PER B=PER ; {A~} (raised/VBD|adopted/VBD|taught/VBD|trained/VBD|brought/VBD up/RP|employed/VBD|is/VBZ the {A=mentor} of) {B} {when} ; PER-SOC B A
A=PER B=PER ; {A~} was@A (raised/VBN|adopted/VBN|taught/VBN|trained/VBN|brought/VBN up/RP) by {B} {when} ; PER-SOC A B
A=PER B=PER ; {A~} , {A>who} (married/VBD|taught/VBD|shares/VBZ an office with) {B} , (fell/VBD ill|wept/VBD|stayed/VBD away/RB) {when} ; PER-SOC A B
A=PER B=PER ; {A~} (worked/VBD under|answers/VBZ to|reports/VBZ to|is/VBZ related/JJ to) {B} ; PER-SOC A B
A=PER B=PER ; {A} (criticised/VBD|interviewed/VBD|praised/VBD|interrupted/VBD|blamed/VBD) {B} {when} {reason} ;
A=PER B=PER ; {A} was@A (criticised/VBN|interviewed/VBN|praised/VBN|blamed/VBN|questioned/VBN) by {B} {when} ;
A=PER B=PER ; {A} (debated/VBD {the_thing} with|sold/VBD {thing:object} to|bought/VBD {thing:object} from|lost/VBD {a_thing} to) {B} {when} ;
A=PER B=PER ; {A~} (thanked/VBD|called/VBD|warned/VBD|telephoned/VBD) {B} , ^ and {A} (smiled/VBD|wept/VBD|asked/VBD for {stuff}) {when} ;
A=PER B=PER ; {A~} told/VBD {B} that ^ {A} (could/MD not help/VB|had/VBD been/VBN ill|wanted/VBD {stuff}|had/VBD read/VBN {the_thing}) ;
A=PER B=PER ; When {A~} (called/VBD|arrived/VBD|asked/VBD about {the_thing}) , ^ {B} (said/VBD nothing|laughed/VBD|left/VBD the room) ;
A=PER B=PER C=CO|UNI|AGENCY ; {A~} told/VBD {B} that ^ {C} had/VBD (hired/VBN|dismissed/VBN|employed/VBN) {A} ; ORG-AFF A C
A=PER B=PER ; {A} (praised/VBD|defended/VBD|criticised/VBD) {B} because {B's} (speech|report|plan|budget) was/VBD (honest/JJ|clear/JJ|late/JJ|weak/JJ) ;
A=PER ; {A~} (lost/VBD|found/VBD|sold/VBD|repaired/VBD) {own:A} {when} ;
A=PER ; {kin:A} (fell/VBD ill|was/VBD born/VBN|was/VBD injured/VBN|retired/VBD|won/VBD a prize) {when} , ^ and {A} (wept/VBD|was@A told/VBN by telephone|stayed/VBD at home|cancelled/VBD {the_thing}) ;
A=PER ; {A~} (visited/VBD|called/VBD|thanked/VBD|helped/VBD) {kin:A} {when} {reason} ;
A=PER ; {A~} (lived/VBD|travelled/VBD|quarrelled/VBD|worked/VBD) with {kin:A} {when} ;
A=PER ; {kin:A} (disagreed/VBD with|spoke/VBD to|stood/VBD by) {A} {when} {reason} ;
A=PER B=GPE ; {kin:A} (said/VBD|told/VBD {reporters}) that ^ {A} was@A (in|no longer/RB in|hiding/VBG in) {B~} ; PHYS A B
A=PER ; {A~} said/VBD that ^ {A} (hoped/VBD|wanted/VBD|had/VBD decided/VBN) to/TO (resign/VB|write/VB {a_thing}|rest/VB|fight/VB {the_thing}) {reason} ;
A=PER ; {A~} , {age} , (smiled/VBD|refused/VBD to answer/VB questions/NNS|admitted/VBD {a_thing}|slept/VBD badly/RB) {when} ;
A=PER ; {A~} (hurt/VBD {A's} back/NN|lost/VBD {A's} glasses/NNS|wrote/VBD {A's} memoirs/NNS|shook/VBD {A's} head/NN) {when} {reason} ;
A=PER B=PPL ; {A~} (led/VBD|trained/VBD|paid/VBD) {B} , ^ {B>who} had/VBD (come/VBN for {stuff}|heard/VBN about {the_thing}) ; PER-SOC B A
A=PER B=PPL ; {A~} (shouted/VBD at|photographed/VBD|read/VBD {the_thing} to|ignored/VBD) {B} {when} , ^ but {B} (left/VBD|laughed/VBD|said/VBD nothing) ;
A=PPL ; {A} said/VBD that ^ {A} (were/VBD tired/JJ|wanted/VBD {stuff}|had/VBD read/VBN {the_thing}|would/MD vote/VB) {when} ;
"""

ORGANISATION_PAIRS = """
A=CO B=CO ; {A~} is@A (a {A=subsidiary} of|wholly/RB owned/VBN by|a {A=division} of|a {A=unit} of|a {A=branch} of|part of) {B} ; PART-WHOLE A B
A=CO B=CO ; {A} (owns/VBZ|controls/VBZ|bought/VBD|took/VBD over/RP|swallowed/VBD|absorbed/VBD|acquired/VBD|paid/VBD {money} to/TO acquire/VB|is/VBZ the {A=parent} of) {B} {when} (for {money}|) ; PART-WHOLE B A
A=CO B=CO ; {A} was@A (bought/VBN|taken/VBN over/RP|acquired/VBN|swallowed/VBN) by {B} {when} (for {money}|) ; PART-WHOLE A B
A=CO B=CO ; {A} (invested/VBD {money} in|holds/VBZ {percent} of the shares/NNS of|holds/VBZ a stake in) {B} {when} ; ORG-AFF A B
A=CO B=CO ; {A} (sued/VBD|competes/VBZ with|undersold/VBD|copied/VBD|outbid/VBD) {B} {when} {reason} ;
A=CO B=CO ; {A} was@A (sued/VBN|copied/VBN|outbid/VBN|criticised/VBN) by {B} {when} ;
A=CO B=CO ; {A} (failed/VBD to/TO buy/VB|dropped/VBD a bid for|bought/VBD {thing:object} from) {B} {when} ;
A=CO B=CO C=CO ; {A} , not {B} , (bought/VBD|took/VBD over/RP) {C} {when} ; PART-WHOLE C A
A=TEAM B=TEAM ; {A~} (beat/VBD|lost/VBD to|played/VBD against|drew/VBD with) {B~} {score} {when} ;
A=TEAM B=TEAM C=FAC ; {A~} (beat/VBD|met/VBD) {B} {score} at {C~} {when} ;
A=UNI|AGENCY|CO B=GPE ; {A~} (is/VBZ based/VBN in|has/VBZ {A's~} offices/NNS in|moved/VBD to|opened/VBD in) {B~} {when} ; GEN-AFF A B
A=AGENCY|PAPER|CO B=GPE ; {A} (criticised/VBD|fined/VBD|ignored/VBD|warned/VBD) {B} {when} {reason} ;
A=CO|AGENCY B=GPE ; {B} (banned/VBD|fined/VBD|sued/VBD|licensed/VBD) {A} {when} {reason} ;
A=CO B=GPE ; {A~} (lost/VBD {money} in|sells/VBZ {thing:object} in|ended/VBD talks/NNS with) {B~} {when} ;
A=CO B=FAC ; {A} (owns/VBZ|operates/VBZ|built/VBD|sold/VBD|closed/VBD) {B} {when} (, ^ {B>which} employs/VBZ nobody|) ; ART A B
A=CO B=FAC ; {B} was@B (built/VBN|operated/VBN|closed/VBN|sold/VBN|owned/VBN) by {A} {when} ; ART A B
A=CO B=FAC ; {A} (opposed/VBD|denied/VBD rumours/NNS about|was@A blamed/VBN for smoke from|gave/VBD {money} for) {B} {when} ;
A=CO B=FAC C=GPE ; {A} (built/VBD|operates/VBZ|owns/VBZ) {B} near {C} ; ART A B, PHYS B C
A=CO|AGENCY B=VEH ; {A} (owns/VBZ|leased/VBD|repaired/VBD|operates/VBZ|bought/VBD|built/VBD) {B} {when} ; ART A B
A=CO|AGENCY B=VEH ; {B} , (built/VBN|owned/VBN|leased/VBN) by {A} , (sank/VBD|broke/VBD down/RP|caught/VBD fire) {when} ; ART A B
A=AGENCY|CO B=VEH ; {A} (inspected/VBD|refused/VBD to insure/VB|warned/VBD about) {B} {when} ;
A=ORG ; {A~} (announced/VBD|denied/VBD|delayed/VBD|approved/VBD) {the_thing} {when} , ^ and {A~} (raised/VBD {A's~} fees/NNS|dismissed/VBD {crew:A}|reported/VBD a loss of {money}) ;
A=ORG ; {A~} (said/VBD|announced/VBD) that ^ {A~} (would/MD hire/VB {new:PPL}|had/VBD lost/VBN {money}|would/MD cut/VB {percent} of {A's~} jobs/NNS) {when} ;
A=ORG B=PER ; {staff:A} (said/VBD|told/VBD {reporters}|denied/VBD) that ^ {B} had/VBD (read/VBN {the_thing}|been/VBN invited/VBN|asked/VBN for {stuff}) ;
A=ORG B=PER ; {staff:A} (met/VBD|thanked/VBD|questioned/VBD|refused/VBD to name/VB) {B} {when} {reason} ;
A=ORG ; {staff:A} (resigned/VBD|declined/VBD to comment/VB|praised/VBD {the_thing}|said/VBD nothing about {the_thing}) {when} {reason} ;
A=CO|UNI|AGENCY ; Shares/NNS (in|of) {A~} (fell/VBD|rose/VBD) {percent} {when} {reason} ;
A=INST ; {A~} (employs/VBZ {crew:A}|raised/VBD {A's~} fees/NNS|cancelled/VBD {the_thing}|was@A fined/VBN {money}) {when} {reason} ;
"""

PLACES_AND_THINGS = """
A=FAC B=GPE ; {A~!} (in|at/IN the centre/NN of|on/IN the edge/NN of) {B~} (burned/VBD down/RP|was@A closed/VBN|reopened/VBD) {when} ; PART-WHOLE A B
A=FAC B=GPE ; {A~!} (near|ten miles from|a mile outside) {B~} (burned/VBD down/RP|was@A closed/VBN|reopened/VBD) {when} ; PHYS A B
A=FAC B=GPE ; {B} (closed/VBD|paid/VBD {money} for|neglected/VBD|wanted/VBD) {A} {when} {reason} ;
A=FAC B=LOC ; {A~} (stands/VBZ near|overlooks/VBZ|lies/VBZ beside) {B~} , ^ and {A~} (attracts/VBZ {new:PPL}|needs/VBZ {stuff}) {when} ; PHYS A B
A=CITY B=COUNTRY ; {A~} , (a {A=town}|a {A=city}|a {A=settlement}) of {number} {people} in {B~} , (was@A flooded/VBN|voted/VBD on {the_thing}) {when} ; PART-WHOLE A B
A=CITY B=GPE ; {A~} lies/VBZ (ten miles from|close/RB to|just/RB north of) {B~} , ^ and {A~} has/VBZ a population/NN of {number} ; PHYS A B
A=CITY B=GPE ; {A} (resembles/VBZ|competes/VBZ with|is/VBZ older than|trades/VBZ with) {B} {reason} ;
A=CITY B=LOC ; {A} lies/VBZ (on|beside|near) {B} , ^ and {staff:A} (voted/VBD against {the_thing}|feared/VBD floods/NNS) {when} ; PHYS A B
A=COUNTRY B=COUNTRY ; {A} (attacked/VBD|borders/VBZ|signed/VBD {a_thing} with|recognised/VBD) {B} {when} ;
A=WATER B=GPE ; {A!} in {B~} (flooded/VBD|dried/VBD up/RP|was@A polluted/VBN|froze/VBD) {when} {reason} ; PART-WHOLE A B
A=WATER B=GPE ; {B} (polluted/VBD|protects/VBZ|drew/VBD water from) {A} {when} ;
A=GPE ; {folk:A} (waited/VBD for {stuff}|wanted/VBD a change/NN|marched/VBD {when}) , ^ and {A~} elected/VBD a new {mayor} {when} ;
A=COUNTRY ; {A} (held/VBD elections/NNS|closed/VBD {A's~} borders/NNS|declared/VBD war|devalued/VBD {A's~} currency/NN) {when} {reason} ;
A=PER B=VEH ; {A} (owns/VBZ|drove/VBD|bought/VBD|crashed/VBD|repaired/VBD) {B} {when} ; ART A B
A=PER B=VEH ; {A~} (was@A trapped/VBN in|fell/VBD asleep in|jumped/VBD from|was@A found/VBN aboard/IN) {B~} {when} ; PHYS A B
A=PER B=VEH ; {A} (watched/VBD|photographed/VBD|chased/VBD|complained/VBD about) {B} {when} ;
A=VEH B=PPL ; {A} (carried/VBD|rescued/VBD) {B} , ^ but {A} (ran/VBD aground/RB|ran/VBD out of fuel|lost/VBD a wheel/NN) {when} ; PHYS B A
A=VEH ; {A~} (overturned/VBD|sank/VBD|left/VBD the road|collided/VBD with {new:VEH}) {when} , ^ and {A~} was@A (towed/VBN away/RB|repaired/VBN for {money}) ;
A=VEH B=GPE ; {A~} (sailed/VBD for|left/VBD|crossed/VBD the border into) {B~} {when} {reason} ;
A=PER B=WEA ; {A} (carried/VBD|owned/VBD|fired/VBD|hid/VBD|bought/VBD|picked/VBD up/RP|cleaned/VBD) {B} {when} ; ART A B
A=PER B=WEA ; {A} (feared/VBD|drew/VBD a picture of|was@A threatened/VBN with|reported/VBD) {B} {when} ;
A=PPL B=WEA ; {A!} (armed/VBN with|carrying/VBG) {B~} (blocked/VBD the road|were/VBD arrested/VBN) {when} ; ART A B
A=PPL B=WEA C=FAC ; {A} (found/VBD|were/VBD shown/VBN) {B~} in {C~} {when} ; PHYS A C
A=CO B=WEA ; {B~!} (made/VBN|sold/VBN) by {A} (was/VBD stolen/VBN|exploded/VBD|failed/VBD) {when} ; ART A B
A=COUNTRY B=WEA ; {A} (banned/VBD|discussed/VBD|condemned/VBD) {B} {when} {reason} ;
"""

# No relation, and words that only look like names or mentions: sentence-initial capitals, living plants,
# pilot projects, tennis courts, the guards that are a verb.
DISTRACTORS = """
; (Frost/NN|Snow/NN|Rain/NN|Fog/NN) had/VBD covered/VBN the (fields/NNS|hills/NNS|roads/NNS) {when} , ^ and nobody (worked/VBD|slept/VBD|cared/VBD about {the_thing}) ;
; (Hope/NN|Faith/NN|Grace/NN|Patience/NN) was/VBD (rare/JJ|scarce/JJ|not enough/RB) {when} , ^ and it took/VBD {stuff} to/TO finish/VB {the_thing} ;
; (Stone/NN|Steel/NN|Glass/NN|Wood/NN) (became/VBD dearer/JJ|was/VBD scarce/JJ|rose/VBD by {percent}) {when} {reason} ;
; (Rich/JJ harvests/NNS|Frank/JJ words/NNS|Marsh/NN grasses/NNS|Cross/JJ words/NNS|Park/NN benches/NNS) (were/VBD rare/JJ|followed/VBD {the_thing}) {when} ;
; (Will/MD {the_thing} help/VB|May/MD {the_thing} begin/VB|Mark/VB the day/NN of {the_thing}|Grant/VB {the_thing} more time) , ^ (one/PRP asks/VBZ|everyone/NN says/VBZ) {when} ;
; (Rivers/NNS rose/VBD|{Banks} closed/VBD|Bells/NNS rang/VBD|Fields/NNS dried/VBD up/RP) {when} , ^ and it (snowed/VBD|rained/VBD) (until {day}|for two days/NNS) ;
; It was/VBD (clear/JJ|likely/JJ|feared/VBN) that ^ {the_thing} would/MD (fail/VB|cost/VB {money}|help/VB nobody) {when} {reason} ;
; It (rained/VBD|snowed/VBD) {when} , ^ so {the_thing} was/VBD (moved/VBN indoors/RB|cancelled/VBN|put/VBN off/RP until {day}) ;
; There was/VBD no {bare} , ^ and {the_thing} (cost/VBD {money}|took/VBD three hours/NNS|bored/VBD everyone) {when} ;
; A (plant/NN|tree/NN|rose/NN|fern/NN) needs/VBZ (light/NN|water/NN|warm/JJ soil/NN) , ^ and a pilot/NN project/NN showed/VBD that {when} ;
; A press/NN conference/NN about {the_thing} (ended/VBD|began/VBD) {when} (in/IN the company/NN of many cameras/NNS|) {reason} ;
; Tennis/NN courts/NNS and bank/NN holidays/NNS were/VBD (the subject/NN|the heart/NN) of {the_thing} {when} ;
; The state/NN of {the_thing} , the head/NN of the queue/NN and the mouth/NN of the cave/NN (made/VBD headlines/NNS|were/VBD jokes/NNS) {when} ;
; The school/NN year/NN and the hospital/NN food/NN (improved/VBD|got/VBD worse/JJR) {when} , ^ and so/RB did/VBD the hotel/NN prices/NNS ;
; The driver/NN software/NN , the guide/NN book/NN and the car/NN tax/NN (cost/VBD {money}|annoyed/VBD everyone) {when} ;
; A party/NN on the river/NN bank/NN (lasted/VBD all night|cost/VBD {money}) {when} , ^ and the cook/NN book/NN (sold/VBD well/RB|was/VBD lost/VBN) ;
; Prices/NNS (rose/VBD|fell/VBD) {percent} {when} , ^ and interest/NN rates/NNS (followed/VBD|did/VBD not move/VB) {reason} ;
A=GPE ; The (rain/NN|flood/NN|fog/NN|fire/NN) reached/VBD {A~} {when} , ^ and (the harvest was/VBD lost/VBN|{the_thing} cost/VBD {money}|nobody slept/VBD) ;
A=PPL ; {A} (waited/VBD|shouted/VBD|argued/VBD) {when} , ^ but nobody guards/VBZ {a_thing} or chairs/VBZ {a_thing} , ^ and {A} (left/VBD|gave/VBD up/RP) ;
A=PER ; {A} (ate/VBD fish|drank/VBD port|played/VBD bridge|mended/VBD a fish/NN tank/NN|bought/VBD a cabinet) {when} and (thought/VBD about|forgot/VBD) {the_thing} ;
"""
