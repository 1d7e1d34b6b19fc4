"""A trained translator with all that it needs to read and write lines of text.

Page: your_own_text
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from softalign.systems.errors import FolderError
from softalign.systems.folder import read_weights, unseal
from softalign.systems.segmentation import Segmenter
from softalign.systems.settings import Settings
from softalign.text import Vocabulary

__all__ = ["Output", "System", "load_system"]

Words = Sequence[str]


class Output(NamedTuple):
    """What a system makes of a sentence.

    Attributes
    ----------
    words : list of str
        Of the translation.
    text : str
        The same as a line.
    finished : bool
        False: no end came before the length limit, and the translation is a piece.
    unknown : tuple of str
        What the system had never seen: source words, or single characters where it has subwords.

    Page: your_own_text
    """

    words: list[str]
    text: str
    finished: bool
    unknown: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class System:
    """A translator of any family, from lines to lines.

    Attributes
    ----------
    settings : Settings
    source, target : Segmenter
    translator : StackDecoder, EncoderDecoder or Transformer
    parameters : int
        Of a neural model; of the others, phrase pairs.
    history : dict
        ``steps``, ``best_step``, ``losses`` (one a step), ``validations`` (pairs of a step and a
        perplexity), ``seconds`` (of processors, of all processes together).

    Page: your_own_text
    """

    settings: Settings
    source: Segmenter
    target: Segmenter
    translator: Any
    parameters: int
    history: dict[str, Any]

    def translate_words(
        self,
        sentences: Sequence[Words],
        *,
        beam: int = 4,
        batch_size: int = 64,
        progress: bool = False,
    ) -> list[Output]:
        """Translate sentences that are cut into words already.

        Parameters
        ----------
        sentences : sequence of sequences of str
            An empty one gives an empty translation.
        beam : int
            Size of the beam of a neural model; 1 is greedy search.
        batch_size : int
            Sentences at a time; the translations do not depend on it.
        progress : bool
            Show a bar.

        Page: your_own_text
        """
        found = [Output([], "", True, ())] * len(sentences)
        numbers = [number for number, words in enumerate(sentences) if words]
        chosen = [sentences[number] for number in numbers]
        if self.settings.is_neural:
            outputs = self._neural(chosen, beam, batch_size, progress)
        else:
            outputs = self._statistical(chosen, progress)
        for number, output in zip(numbers, outputs, strict=True):
            found[number] = output
        return found

    def translate(self, lines: Sequence[str], **options: Any) -> list[Output]:
        """Translate lines of text; `options` as for `translate_words`.

        Page: your_own_text
        """
        return self.translate_words([self.source.split(line) for line in lines], **options)

    def _neural(
        self, sentences: list[Words], beam: int, batch_size: int, progress: bool
    ) -> list[Output]:
        from softalign.search import translate

        vocabulary = self.translator.src_vocab
        pieces = [self.source.pieces(words) for words in sentences]
        found = translate(
            self.translator, pieces, size=beam, batch_size=batch_size, progress=progress
        )
        outputs = []
        for source, translation in zip(pieces, found, strict=True):
            words = self.target.words(translation.words)
            unknown = tuple(piece for piece in source if piece not in vocabulary)
            outputs.append(Output(words, self.target.text(words), translation.finished, unknown))
        return outputs

    def _statistical(self, sentences: list[Words], progress: bool) -> list[Output]:
        known, outputs = self.translator.table.numbers, []
        bar = tqdm(sentences, "translating", disable=not progress, unit="sentence", leave=False)
        for source in bar:
            words = list(self.translator.translate(source))
            unknown = tuple(word for word in source if word not in known)
            outputs.append(Output(words, self.target.text(words), True, unknown))
        return outputs


def load_system(folder: str | Path, device: Any = "cpu") -> System:
    """Read a system that `train_system` has written; nothing in its files is ever run.

    Parameters
    ----------
    folder : path
    device : str or torch.device
        Where a neural model computes.

    Raises
    ------
    FolderError
        The folder holds no system, or one of its files is damaged; one sentence, with the file.

    Page: your_own_text
    """
    folder = Path(folder)
    about, contents = unseal(folder)
    try:
        settings = Settings.from_dict(about["settings"])
        history = dict(about["history"])
        size = int(about["parameters"])
        sides = [
            Segmenter(settings.src_tokens, settings.lower, contents.get("source.subwords")),
            Segmenter(settings.tgt_tokens, settings.lower, contents.get("target.subwords")),
        ]
        hidden = about["hidden_size"]
    except (KeyError, TypeError, ValueError) as problem:
        raise FolderError(f"{folder / 'system.json'}: {problem} is missing or wrong") from None
    if not settings.is_neural:
        from softalign.systems.statistical import load_statistical

        return System(settings, *sides, load_statistical(folder), size, history)
    return System(
        settings, *sides, _model(folder, settings, hidden, contents, device), size, history
    )


def _model(
    folder: Path, settings: Settings, hidden: int, contents: dict[str, bytes], device: Any
) -> Any:
    from softalign.systems.families import Shape, build

    try:
        known = tuple(Vocabulary.load(folder / f"{side}.vocab") for side in ("source", "target"))
        model = build(settings.family, known, Shape(settings.width, hidden), seed=0)
        model.load_state_dict(read_weights(folder / "weights.pt", contents["weights.pt"]))
    except KeyError as problem:
        raise FolderError(f"{folder}: {problem} is missing") from None
    except (ValueError, RuntimeError, OSError) as problem:
        if isinstance(problem, FolderError):
            raise
        sentence = str(problem).splitlines()[0].rstrip(":")
        raise FolderError(f"{folder}: its files do not fit together: {sentence}") from None
    return model.to(device).eval()
