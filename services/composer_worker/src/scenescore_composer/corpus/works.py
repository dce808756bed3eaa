"""Which scores of music21's corpus the starter corpus is read from, and how fast each is to be taken.

Chosen for several voices, a short parse, and a spread over the four quadrants; monophonic tunes, early notations
without bars and scores whose notice forbids use are left out. Tempos are quarters a minute, as customary
for the movement's heading, since most of these encodings carry none.
"""

from dataclasses import dataclass

CHORALE_BPM = 72
"""Bach's chorales have no marking: the tempo at which congregations sing them."""
MADRIGAL_BPM = 92


@dataclass(frozen=True, slots=True)
class Work:
    path: str
    """Within music21's corpus."""
    title: str
    bpm: int | None = None
    """None: by the score's own metronome marks."""


_BEETHOVEN = (
    Work("beethoven/opus18no4.mxl", "Beethoven, String Quartet op. 18 no. 4"),
    Work(
        "beethoven/opus18no1/movement1.mxl", "Beethoven, String Quartet op. 18 no. 1, Allegro con brio", 160
    ),
    Work(
        "beethoven/opus18no1/movement2.mxl", "Beethoven, String Quartet op. 18 no. 1, Adagio affettuoso", 69
    ),
    Work("beethoven/opus18no1/movement3.mxl", "Beethoven, String Quartet op. 18 no. 1, Scherzo", 240),
    Work("beethoven/opus18no1/movement4.mxl", "Beethoven, String Quartet op. 18 no. 1, Allegro", 120),
    Work("beethoven/opus59no1/movement1.mxl", "Beethoven, String Quartet op. 59 no. 1, Allegro", 152),
    Work(
        "beethoven/opus59no1/movement2.mxl", "Beethoven, String Quartet op. 59 no. 1, Allegretto vivace", 168
    ),
    Work(
        "beethoven/opus59no1/movement3.mxl",
        "Beethoven, String Quartet op. 59 no. 1, Adagio molto e mesto",
        56,
    ),
    Work(
        "beethoven/opus59no1/movement4.mxl",
        "Beethoven, String Quartet op. 59 no. 1, Thème russe, Allegro",
        126,
    ),
    Work("beethoven/opus59no2/movement1.mxl", "Beethoven, String Quartet op. 59 no. 2, Allegro", 126),
    Work("beethoven/opus59no2/movement2.mxl", "Beethoven, String Quartet op. 59 no. 2, Molto adagio", 60),
    Work("beethoven/opus59no2/movement3.mxl", "Beethoven, String Quartet op. 59 no. 2, Allegretto", 200),
    Work("beethoven/opus59no2/movement4.mxl", "Beethoven, String Quartet op. 59 no. 2, Presto", 176),
    Work("beethoven/opus59no3/movement1.mxl", "Beethoven, String Quartet op. 59 no. 3, Allegro vivace", 152),
    Work("beethoven/opus59no3/movement2.mxl", "Beethoven, String Quartet op. 59 no. 3, Andante con moto", 84),
    Work("beethoven/opus59no3/movement4.mxl", "Beethoven, String Quartet op. 59 no. 3, Allegro molto", 168),
)
_SCHUMANN = (
    Work("schumann_robert/opus41no1/movement1.mxl", "Schumann, String Quartet op. 41 no. 1, Allegro", 120),
    Work(
        "schumann_robert/opus41no1/movement2.mxl",
        "Schumann, String Quartet op. 41 no. 1, Scherzo, Presto",
        180,
    ),
    Work("schumann_robert/opus41no1/movement4.mxl", "Schumann, String Quartet op. 41 no. 1, Adagio", 54),
    Work("schumann_robert/opus41no1/movement5.mxl", "Schumann, String Quartet op. 41 no. 1, Presto", 200),
    Work("schumann_clara/opus17/movement3.xml", "Clara Schumann, Piano Trio op. 17, Andante", 72),
    Work("schumann_clara/polonaise_op1n1.mxl", "Clara Schumann, Polonaise op. 1 no. 1", 92),
    Work("schumann_clara/polonaise_op1n2.mxl", "Clara Schumann, Polonaise op. 1 no. 2", 92),
    Work("schumann_clara/polonaise_op1n3.mxl", "Clara Schumann, Polonaise op. 1 no. 3", 92),
    Work("schumann_clara/polonaise_op1n4.mxl", "Clara Schumann, Polonaise op. 1 no. 4", 92),
)
_MOZART = (
    Work("mozart/k80/movement1.mxl", "Mozart, String Quartet K. 80, Adagio", 58),
    Work("mozart/k80/movement2.mxl", "Mozart, String Quartet K. 80, Allegro", 132),
    Work("mozart/k80/movement3.mxl", "Mozart, String Quartet K. 80, Menuetto", 126),
    Work("mozart/k80/movement4.mxl", "Mozart, String Quartet K. 80, Rondeau", 168),
    Work("mozart/k155/movement1.mxl", "Mozart, String Quartet K. 155, Allegro", 132),
    Work("mozart/k155/movement2.mxl", "Mozart, String Quartet K. 155, Andante", 66),
    Work("mozart/k155/movement3.mxl", "Mozart, String Quartet K. 155, Molto allegro", 126),
    Work("mozart/k156/movement1.mxl", "Mozart, String Quartet K. 156, Presto", 168),
    Work("mozart/k156/movement2.mxl", "Mozart, String Quartet K. 156, Adagio", 50),
    Work("mozart/k156/movement3.mxl", "Mozart, String Quartet K. 156, Menuetto", 120),
    Work("mozart/k458/movement1.mxl", "Mozart, String Quartet K. 458, Allegro vivace assai", 150),
    Work("mozart/k458/movement2.mxl", "Mozart, String Quartet K. 458, Menuetto", 120),
    Work("mozart/k458/movement3.mxl", "Mozart, String Quartet K. 458, Adagio", 46),
    Work("mozart/k458/movement4.mxl", "Mozart, String Quartet K. 458, Allegro assai", 144),
)
_HAYDN = (
    Work("haydn/opus1no1/movement1.mxl", "Haydn, String Quartet op. 1 no. 1, Presto", 168),
    Work("haydn/opus1no1/movement2.mxl", "Haydn, String Quartet op. 1 no. 1, Menuetto", 126),
    Work("haydn/opus1no1/movement3.mxl", "Haydn, String Quartet op. 1 no. 1, Adagio", 50),
    Work("haydn/opus1no1/movement4.mxl", "Haydn, String Quartet op. 1 no. 1, Menuetto II", 126),
    Work("haydn/opus1no1/movement5.mxl", "Haydn, String Quartet op. 1 no. 1, Finale, Presto", 144),
    Work("haydn/opus74no1/movement1.mxl", "Haydn, String Quartet op. 74 no. 1, Allegro", 144),
    Work("haydn/opus74no1/movement2.mxl", "Haydn, String Quartet op. 74 no. 1, Andantino grazioso", 60),
    Work("haydn/opus74no1/movement3.mxl", "Haydn, String Quartet op. 74 no. 1, Menuetto", 160),
    Work("haydn/opus74no1/movement4.mxl", "Haydn, String Quartet op. 74 no. 1, Finale, Vivace", 152),
)
_OTHERS = (
    Work("cpebach/h186.mxl", "C. P. E. Bach, Sonata H. 186, Poco adagio", 50),
    Work("chopin/mazurka06-2.krn", "Chopin, Mazurka op. 6 no. 2", 150),
    Work("handel/rinaldo/Lascia_chio_pianga.mxl", "Handel, Lascia ch'io pianga", 66),
    Work("johnson_j_r/lift_every_voice.mxl", "J. R. Johnson, Lift Every Voice and Sing", 126),
    Work("joplin/maple_leaf_rag.mxl", "Joplin, Maple Leaf Rag", 92),
    Work("liliuokalani/aloha_oe.mxl", "Liliuokalani, Aloha Oe", 72),
    Work("weber/concertino_clarinet.mxl", "Weber, Clarinet Concertino"),
)
_MADRIGALS = tuple(
    Work(f"monteverdi/madrigal.3.{number}.mxl", f"Monteverdi, Madrigals, Book 3, no. {number}", MADRIGAL_BPM)
    for number in (1, 3, 5, 6, 7, 11, 12, 13, 18, 19)
)
_CHORALES = tuple(
    Work(f"bach/bwv{number}.mxl", f"Bach, Chorale BWV {number}", CHORALE_BPM) for number in range(253, 439, 2)
)

WORKS: tuple[Work, ...] = (*_BEETHOVEN, *_SCHUMANN, *_MOZART, *_HAYDN, *_OTHERS, *_MADRIGALS, *_CHORALES)
"""The slowest to parse come first, so that several processes end together."""
