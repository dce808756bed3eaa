"""Sampling token sequences from the model under the grammar, bars coming back as the form says."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from scenescore_composer.batch_grammar import CODES, INDEX, KIND_CODE, BatchState, Masks, span
from scenescore_composer.conditioning import Vectors
from scenescore_composer.figures import Figures
from scenescore_composer.grammar import Mask
from scenescore_composer.model import TokenLstm
from scenescore_composer.stepping import Stepping
from scenescore_composer.tokens import BOS, DURATIONS, EOS, SIZES, VOCABULARY_SIZE, Kind, token
from scenescore_composer.training import Checkpoint
from scenescore_composer.voice_leading import VoiceLeading

_BAR, _POSITION, _VELOCITY, _PITCH, _DURATION = (
    CODES[kind] for kind in (Kind.METRE, Kind.POSITION, Kind.VELOCITY, Kind.PITCH, Kind.DURATION)
)


@dataclass(frozen=True, slots=True)
class SamplingPlan:
    opening: tuple[int, ...]
    """Legal tokens, from BOS to the first bar's TEMPO, that every candidate starts with."""
    recalled: tuple[int | None, ...]
    """For each bar to sample the earlier one that it repeats, None for a new one: see `form.recalled_bars`."""
    vocabulary: Mask
    """[VOCABULARY_SIZE], tokens that may be used at all, beside the opening."""
    steady: tuple[bool, ...]
    """For each bar to sample whether notes start in it where they start in the bar before, and nowhere else."""
    figured: tuple[bool, ...]
    """For each bar to sample whether, where it is steady, its strikes have as many notes of the same lengths too."""
    vectors: tuple[Vectors, ...]
    """For each candidate the conditions of its bars, [more than len(recalled), WIDTH]: see `conditioning`."""
    voices: int = 6
    """Notes that may sound together."""
    temperature: float = 1.0
    nucleus: float = 0.88
    """Only the likeliest tokens that hold this probability together are drawn from (Holtzman et al., 2020)."""
    rhythmic_nucleus: float = 1.0
    """The same wherever a position or a duration may come next."""
    rhythmic_temperature: float = 1.0
    """Beside `temperature`, among positions and among durations: above 1 rarer times and lengths become likelier, but
    no likelier than they are that a note follows in the same strike.
    """
    stepwise: float = 0.0
    """How far seconds in the melody are leant towards: see `voice_leading`."""
    smooth: float = 0.0
    """How far notes that grate are leant away from: see there."""


def sample(
    model: TokenLstm, plan: SamplingPlan, generator: torch.Generator, checkpoint: Checkpoint
) -> list[tuple[int, ...]]:
    """A sequence of `len(plan.recalled)` bars for each candidate, every one legal up to its end, without EOS.

    All candidates advance together; each step draws from `generator` alone.
    """
    run = _Run(plan)
    model.eval()
    with torch.inference_mode():
        stepping = Stepping(model)
        state = stepping.start(len(plan.vectors))
        for opening in plan.opening:
            tokens = torch.full((len(plan.vectors),), opening)
            logits, state = stepping.step(tokens, run.conditions(), state)
        while not run.ended.all():
            checkpoint(float(run.state.bars[~run.ended].min()) / (len(plan.recalled) + 1))
            logits[:, span(Kind.PITCH)] += torch.from_numpy(run.voice_leading.leaning())
            drawn = _draw(logits, torch.from_numpy(run.allowed()), plan, generator)
            tokens = torch.from_numpy(run.take(drawn))
            logits, state = stepping.step(tokens, run.conditions(), state)
    return run.sequences


class _Run:
    """The candidates while they grow."""

    def __init__(self, plan: SamplingPlan) -> None:
        count = len(plan.vectors)
        self.plan = plan
        self.state = BatchState(count)
        self._steps: list[npt.NDArray[np.int64]] = []
        """What every candidate went on by, [candidates] each."""
        for opening in plan.opening:
            self._steps.append(np.full(count, opening))
            self.state.advance(self._steps[-1])
        self.ended: npt.NDArray[np.bool_] = np.zeros(count, dtype=np.bool_)
        self._length = np.zeros(count, dtype=np.int64)
        self._vectors = np.stack(plan.vectors)
        self._bar_starts: list[list[int]] = [[len(self._steps)] for _ in range(count)]
        """Of each candidate the step after each bar's METRE."""
        self._due: dict[int, deque[int]] = {}
        """Of candidates that repeat a bar what is left of it."""
        self._rhythm: Masks = np.ones((count, SIZES[Kind.POSITION]), dtype=np.bool_)
        """[candidates, positions], where notes may start in the bar that each is in."""
        self._is_steady: Masks = np.zeros(count, dtype=np.bool_)
        self._figures = Figures(count)
        self.voice_leading = VoiceLeading(count, stepwise=plan.stepwise, smooth=plan.smooth)

    @property
    def sequences(self) -> list[tuple[int, ...]]:
        """Of ended candidates, without their EOS."""
        steps = np.stack(self._steps, axis=1)
        return [tuple(steps[row, : self._length[row]].tolist()) for row in range(len(self.ended))]

    def conditions(self) -> Tensor:
        """[candidates, WIDTH]"""
        return torch.from_numpy(self._vectors[np.arange(len(self.ended)), self.state.bars])

    def allowed(self) -> Masks:
        """The legal tokens that also keep to the plan. An ended candidate may draw anything: it is not looked at.

        No bar stays empty; no more notes sound than there are voices. A bar after the last one is the end: see `take`.
        """
        state, plan = self.state, self.plan
        legal = state.legal()
        kept = legal & plan.vocabulary
        kept[:, EOS] = False
        between = state.is_last(Kind.METRE, Kind.TEMPO)
        kept[between, span(Kind.METRE)] = False
        full = state.is_last(Kind.DURATION) & (state.sounding().sum(axis=1) >= plan.voices)
        kept[full, span(Kind.PITCH)] = False
        mute = state.is_last(Kind.DURATION) & ~kept[:, span(Kind.PITCH)].any(axis=1)
        kept[mute, span(Kind.VELOCITY)] = False
        # before that tick every voice is still held
        free = np.partition(state.until, -plan.voices, axis=1)[:, -plan.voices]
        kept[:, span(Kind.POSITION)] &= np.arange(SIZES[Kind.POSITION]) >= free[:, None]
        self._keep_rhythm(kept)
        self._figures.keep(kept, state)
        kept[self.ended] = True
        for row in np.flatnonzero(~kept.any(axis=1)):
            kept[row] = self._way_on(int(row), legal[row])
        return kept

    def _keep_rhythm(self, kept: Masks) -> None:
        """In steady bars the next of the rhythm's places alone, and no bar line before the last of them."""
        if not self._is_steady.any():
            return
        positions = kept[:, span(Kind.POSITION)]
        ahead = positions & self._rhythm
        rest = np.flatnonzero(self._is_steady & ahead.any(axis=1))
        positions[self._is_steady] = False
        positions[rest, ahead[rest].argmax(axis=1)] = True
        kept[rest, span(Kind.METRE)] = False

    def take(self, drawn: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Each candidate goes on by the token that is due in it, else by the one drawn; what they went on by.

        An ended one goes on by BOS, which leads nowhere.
        """
        taken = drawn.copy()
        for row in list(self._due):
            taken[row] = self._due[row].popleft()
            if not self._due[row]:
                del self._due[row]
        # the model does not know that another bar would be one too many: it ends where it wants to go on to one
        taken[(KIND_CODE[taken] == _BAR) & (self.state.bars >= len(self.plan.recalled))] = EOS
        taken[self.ended] = BOS
        closing = (taken == EOS) & ~self.ended
        self._length[closing] = len(self._steps)
        self.ended |= closing
        self._steps.append(taken)
        self._figures.follow(taken)
        self.voice_leading.follow(taken)
        self.state.advance(taken)
        for turned in np.flatnonzero(KIND_CODE[taken] == _BAR):
            self._begin_bar(int(turned))
        return taken

    def _begin_bar(self, row: int) -> None:
        starts = self._bar_starts[row]
        bar = len(starts)
        starts.append(len(self._steps))
        self._is_steady[row] = bar < len(self.plan.steady) and self.plan.steady[bar]
        if self._is_steady[row]:
            before = [int(step[row]) for step in self._steps[starts[bar - 1] : starts[bar]]]
            self._rhythm[row] = self._figures.begin(row, before, is_followed=self.plan.figured[bar])
        else:
            self._figures.leave(row)
        source = self.plan.recalled[bar] if bar < len(self.plan.recalled) else None
        if source is not None:
            again = [int(step[row]) for step in self._steps[starts[source] : starts[source + 1] - 1]]
            bar_line = self.plan.opening[1]
            self._due[row] = deque((*self._spelt_again(row, again), bar_line))

    def _spelt_again(self, row: int, tokens: Sequence[int]) -> list[int]:
        """The tokens of an earlier bar as they are spelt here, less notes that find no voice free."""
        state = self.state
        until = state.until[row].copy()
        velocity, wanted = int(state.velocity[row]), int(state.velocity[row])
        spelt: list[int] = []
        said = True
        position = pitch = -1
        for taken in tokens:
            kind, index = int(KIND_CODE[taken]), int(INDEX[taken])
            if kind == _POSITION:
                position, said = index, False
            elif kind == _VELOCITY:
                wanted = index
            elif kind == _PITCH:
                pitch = index
            elif kind == _DURATION:
                if until[pitch] > position or (until > position).sum() >= self.plan.voices:
                    continue
                until[pitch] = position + DURATIONS[index]
                if not said:
                    spelt.append(token(Kind.POSITION, position))
                    said = True
                if wanted != velocity:
                    spelt.append(token(Kind.VELOCITY, wanted))
                    velocity = wanted
                spelt += [token(Kind.PITCH, pitch), taken]
        return spelt

    def _way_on(self, row: int, legal: Mask) -> Mask:
        """Where the plan leaves nothing, since every voice is held past all that is left of the bar: the end after
        the last bar, else a bar in which nothing new begins, else whatever is legal that is neither bar nor end.
        """
        only: Mask = np.zeros(VOCABULARY_SIZE, dtype=np.bool_)
        between = bool(self.state.is_last(Kind.METRE, Kind.TEMPO, Kind.DURATION)[row])
        if between and self.state.bars[row] >= len(self.plan.recalled):
            only[EOS] = True
            return only
        metre = span(Kind.METRE)
        only[metre] = (legal & self.plan.vocabulary)[metre]
        if only.any():
            return only
        within: Mask = legal.copy()
        within[metre] = within[span(Kind.TEMPO)] = within[EOS] = False
        return within if within.any() else legal


def _draw(
    logits: Tensor, masks: Tensor, plan: SamplingPlan, generator: torch.Generator
) -> npt.NDArray[np.int64]:
    """One token for each row of `logits` [candidates, vocabulary] among those that its mask allows."""
    legal = logits.masked_fill(~masks, -torch.inf)
    # durations stand alone wherever they are legal
    legal[:, span(Kind.DURATION)] /= plan.rhythmic_temperature
    legal[:, span(Kind.POSITION)] = _flattened(legal[:, span(Kind.POSITION)], plan.rhythmic_temperature)
    chances = torch.softmax(legal / plan.temperature, dim=-1)
    ranked, tokens = chances.sort(dim=-1, descending=True, stable=True)
    reached = ranked.cumsum(dim=-1)
    places, lengths = masks[:, span(Kind.POSITION)], masks[:, span(Kind.DURATION)]
    rhythmic = places.any(dim=-1, keepdim=True) | lengths.any(dim=-1, keepdim=True)
    share = torch.where(rhythmic, plan.rhythmic_nucleus, plan.nucleus)
    in_nucleus = reached - ranked < share
    held = (reached * in_nucleus).amax(dim=-1, keepdim=True)
    # by inversion: torch.multinomial takes several times as long for as few rows
    mark = torch.rand((len(logits), 1), generator=generator) * held
    ranks = (reached < mark).sum(dim=-1, keepdim=True)
    drawn: npt.NDArray[np.int64] = tokens.gather(1, ranks).squeeze(1).numpy()
    return drawn


def _flattened(logits: Tensor, temperature: float) -> Tensor:
    """[rows, tokens] at a temperature of their own, as likely together as before."""
    flat = logits / temperature
    raised = logits.logsumexp(dim=-1, keepdim=True) - flat.logsumexp(dim=-1, keepdim=True)
    # where none of them is legal, that is no number
    return flat + raised.nan_to_num(0.0)
