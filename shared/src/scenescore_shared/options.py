"""The options of a job: what a client may ask for, checked by the API and read by the composer."""

from collections.abc import Sequence
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator

from scenescore_shared.emotions import normalise
from scenescore_shared.errors import InvalidRequestError
from scenescore_shared.general_midi import program_of
from scenescore_shared.webhook_urls import MAX_URL_LENGTH, parse_webhook_url

DEFAULT_SECONDS = 30.0
MAX_SEED = 2**53 - 1
"""The largest integer that every JSON reader keeps exact (RFC 8259 §6)."""

MAX_METADATA_ENTRIES = 16


class JobOptions(BaseModel):
    """Everything that is not asked for is chosen by the composer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    seed: Annotated[
        int | None,
        Field(strict=True, ge=0, le=MAX_SEED, description="Same seed, picture and options: the same music."),
    ] = None
    seconds: Annotated[
        float,
        Field(strict=True, ge=10, le=180, allow_inf_nan=False, description="Length of the music in seconds."),
    ] = DEFAULT_SECONDS
    temperature: Annotated[
        float | None,
        Field(
            strict=True,
            ge=0.5,
            le=1.5,
            allow_inf_nan=False,
            description="How daring the sampling is; about 1 by default.",
        ),
    ] = None
    tempo_bpm: Annotated[
        int | None,
        Field(
            strict=True, ge=30, le=240, description="Quarter notes a minute; by default as the emotions ask."
        ),
    ] = None
    key: Annotated[
        str | None,
        Field(
            max_length=16,
            pattern=r"^\s*[A-Ga-g](#{1,2}|b{1,2})?\s+([Mm]ajor|[Mm]inor)\s*$",
            description="Such as F# minor or Bb major; by default as the emotions ask.",
            examples=["F# minor"],
        ),
    ] = None
    instrument: Annotated[
        Annotated[int, Field(strict=True, ge=0, le=127)] | Annotated[str, Field(max_length=32)] | None,
        Field(
            description="A General MIDI instrument, by its name or its program number counted from 0; "
            "a piano by default.",
            examples=["violin", 40],
        ),
    ] = None
    variations: Annotated[
        int,
        Field(strict=True, ge=1, le=8, description="How many pieces: music.mid, then music-2.mid and so on."),
    ] = 1
    emotions: Annotated[
        dict[str, Annotated[float, Field(strict=True)]] | None,
        Field(
            description="A mix that replaces the classifier's, as weights of 0 or more per emotion.",
            examples=[{"happy": 0.7, "sad": 0.3}],
        ),
    ] = None
    webhook_url: Annotated[
        str | None,
        Field(
            max_length=MAX_URL_LENGTH,
            json_schema_extra={"format": "uri"},
            description="Where a signed message goes when the job ends (https): see `webhooks` below, and make a "
            "secret first (POST /v1/webhooks/secrets).",
            examples=["https://example.com/hooks/scenescore"],
        ),
    ] = None
    metadata: Annotated[
        dict[Annotated[str, Field(max_length=64)], Annotated[str, Field(max_length=512)]],
        Field(max_length=MAX_METADATA_ENTRIES, description="Yours: kept with the job and given back."),
    ] = Field(default_factory=dict)

    @field_validator("metadata")
    @classmethod
    def _storable(cls, metadata: dict[str, str]) -> dict[str, str]:
        # the one character that PostgreSQL keeps in no text
        if any("\x00" in text for text in (*metadata, *metadata.values())):
            raise ValueError("metadata can't hold the character NUL")
        return metadata

    @field_validator("instrument")
    @classmethod
    def _playable(cls, instrument: str | int | None) -> str | int | None:
        if instrument is not None and program_of(instrument) is None:
            raise ValueError(
                "General MIDI has no such instrument: give a name as violin, or a number from 0 to 127"
            )
        return instrument

    @field_validator("webhook_url")
    @classmethod
    def _sendable(cls, url: str | None) -> str | None:
        if url is not None:
            parse_webhook_url(url)
        return url

    def with_mix_over(self, emotions: Sequence[str]) -> Self:
        """These options with the mix as shares of the emotions in use.

        Raises InvalidRequestError for an emotion that is not in use or weights that make no mix.
        """
        if self.emotions is None:
            return self
        unknown = sorted(set(self.emotions) - set(emotions))
        if unknown:
            raise InvalidRequestError(
                f"The option emotions names {', '.join(map(repr, unknown))}; use {', '.join(emotions)}."
            )
        try:
            mix = normalise(self.emotions, emotions)
        except ValueError as error:
            raise InvalidRequestError(f"The option emotions is no mix: {error}.") from None
        return self.model_copy(update={"emotions": mix})

    def as_json(self) -> dict[str, Any]:
        """What was asked for, defaults filled in, nothing that is None."""
        return self.model_dump(mode="json", exclude_none=True)
