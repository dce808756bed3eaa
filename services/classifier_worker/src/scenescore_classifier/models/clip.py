"""`clip:<name>/<weights>`: zero-shot classification by prompts (Radford et al. 2021), through open_clip.

The optional extra `clip`; imported only when such a model is asked for. An emotion's prompts are embedded and
averaged; a picture's logits are its cosine similarities to them, times CLIP's own scale. Nothing is trained but
the temperature.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional

from scenescore_classifier.models.architecture import ModelError, Training, optional_library
from scenescore_classifier.models.head import LinearHead

WORDS = {
    "happy": ("happy", "joyful", "cheerful", "exciting"),
    "angry": ("angry", "threatening", "violent", "hostile"),
    "sad": ("sad", "gloomy", "lonely", "sorrowful"),
    "calm": ("calm", "peaceful", "serene", "relaxing"),
}
TEMPLATES = (
    "a photo of a {} scene.",
    "a {} picture.",
    "a photo that makes people feel {}.",
    "this scene looks {}.",
    "a photograph with a {} mood.",
)


def prompts(emotion: str) -> list[str]:
    """Every template with every word for the emotion; an emotion without words of its own speaks for itself."""
    return [template.format(word) for word in WORDS.get(emotion, (emotion,)) for template in TEMPLATES]


class Clip:
    """The picture tower is frozen, so a picture's embedding is what is prepared of it; the texts are the head."""

    training = Training.ZERO_SHOT

    def __init__(self, name: str, device: str = "cpu") -> None:
        self._library = optional_library("open_clip", extra="clip")
        self.name = f"clip:{name}"
        self._model_name, _, tag = name.partition("/")
        self._tag = tag or None
        self._device = device
        if self._model_name not in self._library.list_models():
            raise ModelError(
                f"open_clip has no model {self._model_name!r}: name one as clip:ViT-B-32/laion2b_s34b_b79k."
            )

    @cached_property
    def _towers(self) -> tuple[Any, Any]:
        """The model and its preprocessing: fetched on first use, and once."""
        try:
            model, preprocess = self._library.create_model_from_pretrained(
                self._model_name, pretrained=self._tag, device=self._device
            )
        except (OSError, RuntimeError) as error:
            raise ModelError(
                f"open_clip can't give the weights of {self.name}: download them once on a machine with a "
                f"network ({error})."
            ) from error
        return model.eval(), preprocess

    @cached_property
    def prepared_shape(self) -> tuple[int, ...]:
        config = self._library.get_model_config(self._model_name)
        return (int(config["embed_dim"]),)

    def prepare(self, image: Image.Image) -> Tensor:
        """float32 (dimensions,) of length 1. One picture at a time: its neighbours can't change it."""
        model, preprocess = self._towers
        with torch.inference_mode():
            picture = preprocess(image)[None].to(self._device)  # (1, 3, side, side)
            embedding: Tensor = functional.normalize(model.encode_image(picture).float(), dim=1)[0]
        return embedding.cpu().clone()

    def network(
        self, emotions: Sequence[str], generator: torch.Generator | None = None, *, pretrained: bool = False
    ) -> nn.Module:
        """As `Architecture` says; only with `pretrained` are the prompts embedded, by the fetched text tower."""
        head = LinearHead(self.prepared_shape[0], len(emotions))
        if pretrained:
            head.weight.copy_(self._texts(emotions))
        return head

    def _texts(self, emotions: Sequence[str]) -> Tensor:
        """Each emotion's averaged prompts times CLIP's scale: float32 (emotions, dimensions)."""
        model, _ = self._towers
        tokenise = self._library.get_tokenizer(self._model_name)
        rows = []
        with torch.inference_mode():
            for emotion in emotions:
                texts = tokenise(prompts(emotion)).to(self._device)  # (prompts, context)
                each = functional.normalize(model.encode_text(texts).float(), dim=1)
                rows.append(functional.normalize(each.mean(dim=0), dim=0))
            scaled: Tensor = torch.stack(rows) * model.logit_scale.exp()
        return scaled.cpu()
