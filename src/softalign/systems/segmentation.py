"""From a line to the pieces that a model knows, and back to words.

Page: your_own_text
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from softalign.text import SPECIALS, detokenise, tokenise

__all__ = ["Segmenter", "choose_subwords"]

MANY_WORDS, PIECES = 6_000, 4_000
"""More different words than the first, and a side is cut into the second number of subwords."""
_MARK = "\u2581"  # sentencepiece writes it where a word begins
_SPACE = re.compile(r"\s+")


def choose_subwords(types: int) -> int:
    """Return how many subwords a side of so many different words gets; 0 = whole words.

    >>> choose_subwords(5000), choose_subwords(20000)
    (0, 4000)

    Page: your_own_text
    """
    return PIECES if types > MANY_WORDS else 0


@dataclass(frozen=True)
class Segmenter:
    """How one side of a corpus is cut: into words, and these, if there are many, into subwords.

    Attributes
    ----------
    tokens : {"space", "char", "word"}
        What a word is, see `softalign.text.tokenise`.
    lower : bool
        Whether capital and small letters are taken alike.
    subwords : bytes or None
        A sentencepiece model (byte-pair encoding), as `learn` makes it; None = whole words.

    Examples
    --------
    >>> side = Segmenter("char", lower=True)
    >>> side.split("我用 Python。")
    ['我', '用', 'python', '。']
    >>> side.pieces(["我", "用"]), side.text(["我", "用", "python", "。"])
    (['我', '用'], '我用python。')

    Notes
    -----
    Sennrich, Haddow & Birch, "Neural machine translation of rare words with subword units" (2016);
    Kudo & Richardson, "SentencePiece" (2018).

    Page: your_own_text
    """

    tokens: str = "space"
    lower: bool = False
    subwords: bytes | None = field(default=None, repr=False)

    def split(self, line: str) -> list[str]:
        """Cut a line into words.

        Page: your_own_text
        """
        line = line.replace(_MARK, "_")
        return tokenise(line.lower() if self.lower else line, self.tokens)

    def learn(self, sentences: Iterable[Sequence[str]], size: int) -> Segmenter:
        """Return a segmenter that cuts words into subwords learnt from these sentences.

        Byte-pair encoding: beginning with single characters, the pair of neighbours that is seen
        most often becomes a piece of its own, until there are `size` pieces. The same sentences
        give the same pieces on every machine.

        Raises
        ------
        ValueError
            `size` is less than the number of characters, or more than the words can give.

        Page: your_own_text
        """
        import sentencepiece

        model = io.BytesIO()
        try:
            sentencepiece.SentencePieceTrainer.train(
                sentence_iterator=(" ".join(words) for words in sentences),
                model_writer=model,
                model_type="bpe",
                vocab_size=size,
                character_coverage=1.0,
                normalization_rule_name="identity",
                num_threads=1,
                minloglevel=2,
            )
        except RuntimeError as problem:
            low = "smaller than required_chars" in str(problem)
            raise ValueError(
                f"{size:,} subwords cannot be learnt from this text, expected "
                + ("more: it has as many characters" if low else "fewer: it has too few words")
            ) from None
        return replace(self, subwords=model.getvalue())

    @cached_property
    def _processor(self) -> Any:
        import sentencepiece

        return sentencepiece.SentencePieceProcessor(model_proto=self.subwords)

    def pieces(self, words: Sequence[str]) -> list[str]:
        """Cut words into what the model's vocabulary has.

        Page: your_own_text
        """
        if self.subwords is None:
            return list(words)
        return self._processor.encode(" ".join(words), out_type=str)

    def words(self, pieces: Sequence[str]) -> list[str]:
        """Put pieces together again; what `pieces` has cut comes back as it was.

        Page: your_own_text
        """
        if self.subwords is None:
            return list(pieces)
        return "".join(pieces).replace(_MARK, " ").split()

    def text(self, words: Sequence[str]) -> str:
        """Write words as a line: between spaces, or as people write Chinese.

        Page: your_own_text
        """
        return " ".join(words) if self.tokens == "space" else detokenise(words)

    def why_unusable(self, words: Sequence[str], longest: int) -> str:
        """Why a model should not learn from these words, or nothing.

        Page: your_own_text
        """
        if not words:
            return "empty"
        if len(words) > longest:
            return f"longer than {longest:,} words"
        special = next((word for word in words if word in SPECIALS), None)
        return "" if special is None else f"contains {special}"
