"""What the API takes and answers about ratings and listening sessions. Examples are in OpenAPI."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

from scenescore_api.ratings.listening import Piece, rated_by
from scenescore_api.ratings.service import MOST_PIECES, Grades
from scenescore_shared.listening import ListeningSession
from scenescore_shared.outputs import MIDI
from scenescore_shared.ratings import LISTENER_PATTERN, Grade, ListenerProgress, Rating, is_listener

JOB_EXAMPLE = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a002"
SESSION_EXAMPLE = "0197f2a0-5c1e-7d3a-9b52-3f6c1de0a003"
TOKEN_EXAMPLE = "scl_7Jb2mX9qKfT4wZ1cRs8vLd3nHy6pGaE5"  # noqa: S105 - the example of a link's token
ITEM_EXAMPLE = "k3Jd92mXqLp7"
MUSIC_PATTERN = r"^music(-[2-8])?\.mid$"

_TITLE_PATTERN = r"^[^\x00-\x1f\x7f]+$"

_NAME_RULE = (
    "1 to 64 characters without `/`, `\\` and `;`, that begin with none of `.=+-@` and have no space "
    "at their ends"
)


def _checked_name(name: str) -> str:
    """Told in a sentence: by its pattern alone a refusal would be a regular expression."""
    if not is_listener(name):
        raise ValueError(f"A listener's name has {_NAME_RULE}")
    return name


ListenerName = Annotated[
    str,
    AfterValidator(_checked_name),
    Field(max_length=64, json_schema_extra={"pattern": LISTENER_PATTERN}),
]
Listener = Annotated[
    ListenerName,
    Field(description=f"Who listens: a name or better a pseudonym, {_NAME_RULE}", examples=["ann"]),
]
Fit = Annotated[
    Grade | None,
    Field(description="How the music fits the picture; null where, and only where, there is none"),
]


class GradesIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    quality: Annotated[Grade, Field(description="Of the music by itself", examples=["good"])]
    fit: Annotated[Fit, Field(examples=["fair"])] = None

    @property
    def grades(self) -> Grades:
        return Grades(quality=self.quality, fit=self.fit)


class RatingIn(GradesIn):
    listener: Listener
    output: Annotated[
        str, Field(pattern=MUSIC_PATTERN, description="Which variation of the music", examples=[MIDI])
    ] = MIDI


class RatingView(BaseModel):
    """What a listener said. `session_id` is of the listening session in which it was, null outside of one."""

    object: Literal["rating"] = "rating"
    job_id: Annotated[str, Field(examples=[JOB_EXAMPLE])]
    output: Annotated[str, Field(examples=[MIDI])]
    listener: Annotated[str, Field(examples=["ann"])]
    session_id: Annotated[str | None, Field(examples=[SESSION_EXAMPLE])]
    quality: Grade
    fit: Fit
    created_at: datetime
    updated_at: datetime


class RatingList(BaseModel):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[RatingView]
    next_page_token: Annotated[str | None, Field(description="Give it as page_token; null on the last page")]


class SessionIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    title: Annotated[
        str,
        Field(
            min_length=1,
            max_length=200,
            pattern=_TITLE_PATTERN,
            description="Listeners see it",
            examples=["Sixteen scenes"],
        ),
    ]
    jobs: Annotated[
        list[Annotated[str, Field(max_length=64)]],
        Field(
            min_length=1,
            max_length=MOST_PIECES,
            json_schema_extra={"uniqueItems": True},
            description="Ids of your jobs that have music; listeners see no id",
            examples=[[JOB_EXAMPLE]],
        ),
    ]
    closes_at: Annotated[
        AwareDatetime | None,
        Field(description="When the link ends, within ten years; null: when it is closed", examples=[None]),
    ] = None


class ProgressView(BaseModel):
    listener: Annotated[str, Field(examples=["ann"])]
    rated: Annotated[int, Field(examples=[12])]
    of: Annotated[int, Field(examples=[16])]


class SessionLinks(BaseModel):
    self: str
    report: str


class SessionView(BaseModel):
    """A listening session. `jobs` are those that are there still."""

    object: Literal["listening_session"] = "listening_session"
    id: Annotated[str, Field(description="UUIDv7", examples=[SESSION_EXAMPLE])]
    title: Annotated[str, Field(examples=["Sixteen scenes"])]
    created_at: datetime
    closes_at: datetime | None
    jobs: Annotated[list[str], Field(examples=[[JOB_EXAMPLE]])]
    listeners: Annotated[list[ProgressView], Field(description="Who rated how many of the pieces, by name")]
    links: SessionLinks


class NewSessionView(SessionView):
    link: Annotated[
        str,
        Field(
            description="For your listeners: whoever has it may listen and rate, without a key. It is shown this once",
            examples=[f"/listen/{TOKEN_EXAMPLE}"],
        ),
    ]


class SessionList(BaseModel):
    """Newest first."""

    object: Literal["list"] = "list"
    data: list[SessionView]
    next_page_token: Annotated[str | None, Field(description="Give it as page_token; null on the last page")]


class GradesView(BaseModel):
    quality: Grade
    fit: Fit


class PieceView(BaseModel):
    """A piece, blind: its id means something in this session alone."""

    item: Annotated[str, Field(examples=[ITEM_EXAMPLE])]
    has_picture: bool
    has_sound: Annotated[bool, Field(description="Else play the notes of its music.mid")]
    sound: Annotated[str | None, Field(description="The file to play", examples=["music.ogg"])]
    available: Annotated[
        bool, Field(description="false: its files have gone, and it can't be rated any more")
    ]
    rating: Annotated[GradesView | None, Field(description="What this listener said before")]


class ListeningView(BaseModel):
    """A listening session as a listener sees it. `items` are in an order of his own, which stays the same."""

    object: Literal["listening"] = "listening"
    title: Annotated[str, Field(examples=["Sixteen scenes"])]
    total: Annotated[int, Field(examples=[16])]
    rated: Annotated[int, Field(examples=[12])]
    closes_at: datetime | None
    items: list[PieceView]


class BlindRatingView(BaseModel):
    """What the listener said of a piece."""

    object: Literal["rating"] = "rating"
    item: Annotated[str, Field(examples=[ITEM_EXAMPLE])]
    listener: Annotated[str, Field(examples=["ann"])]
    quality: Grade
    fit: Fit
    created_at: datetime
    updated_at: datetime


def rating_view(rating: Rating) -> RatingView:
    return RatingView.model_validate(rating, from_attributes=True)


def blind_rating_view(item: str, rating: Rating) -> BlindRatingView:
    return BlindRatingView(
        item=item,
        listener=rating.listener,
        quality=rating.quality,
        fit=rating.fit,
        created_at=rating.created_at,
        updated_at=rating.updated_at,
    )


def session_view(
    session: ListeningSession, progress: Sequence[ListenerProgress], *, url_for: Callable[..., str]
) -> SessionView:
    return SessionView(
        id=session.id,
        title=session.title,
        created_at=session.created_at,
        closes_at=session.closes_at,
        jobs=[item.job_id for item in session.items],
        listeners=[
            ProgressView(listener=each.listener, rated=each.rated, of=len(session.items)) for each in progress
        ],
        links=SessionLinks(
            self=url_for("get_listening_session", session_id=session.id),
            report=url_for("get_session_report", session_id=session.id),
        ),
    )


def listening_view(session: ListeningSession, pieces: Sequence[Piece]) -> ListeningView:
    return ListeningView(
        title=session.title,
        total=len(session.items),
        rated=rated_by(pieces),
        closes_at=session.closes_at,
        items=[
            PieceView(
                item=piece.item,
                has_picture=piece.has_picture,
                has_sound=piece.sound is not None,
                sound=piece.sound,
                available=piece.available,
                rating=GradesView.model_validate(piece.grades, from_attributes=True)
                if piece.grades
                else None,
            )
            for piece in pieces
        ],
    )
