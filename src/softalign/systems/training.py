"""From sentence pairs to a system in a folder, with interruptions or without.

Page: your_own_text
"""

from __future__ import annotations

import hashlib
import io
import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from softalign.systems.errors import FolderError
from softalign.systems.folder import FORMAT, SEAL, read_json, seal, write_bytes, write_json
from softalign.systems.segmentation import Segmenter, choose_subwords
from softalign.systems.settings import Settings
from softalign.systems.system import System, load_system

__all__ = ["train_system"]

Words = Sequence[str]
Pairs = Sequence[tuple[Words, Words]]
CHECKPOINT = "training.checkpoint"
VALIDATED_ON = 1_000
"""The largest number of validation pairs that the perplexity is taken of during training."""


def train_system(
    folder: str | Path,
    settings: Settings,
    train: Pairs,
    validation: Pairs,
    *,
    together: Any = None,
    progress: bool = False,
    say: Callable[[str], None] = lambda sentence: None,
) -> System:
    """Train a system and keep it in a folder.

    If the folder holds the beginning of the same training, this goes on from its last checkpoint
    and ends with the same numbers as without interruption; if it holds the end, that is read.

    Parameters
    ----------
    folder : path
        Made if it is not there.
    settings : Settings
    train, validation : sequences of (source words, target words)
    together : Team, optional
        The processes of `softalign.data_parallel.team`; without it, this one alone.
    progress : bool
        Show bars on standard error.
    say : callable
        Gets a sentence for people now and then.

    Raises
    ------
    FolderError
        The folder holds the training of something else, or damaged files.
    ValueError
        Text that nothing can be learnt from.

    Page: your_own_text
    """
    folder = Path(folder)
    if not train or not validation:
        raise ValueError(
            f"there are {len(train):,} pairs to train on and {len(validation):,} to validate with, "
            "expected one at least"
        )
    begun = _begin(folder, settings, _digest(train, validation), together)
    if begun is None:
        return load_system(folder, "cpu" if together is None else together.device)
    sides = (
        Segmenter(settings.src_tokens, settings.lower),
        Segmenter(settings.tgt_tokens, settings.lower),
    )
    if settings.is_neural:
        return _train_neural(
            folder, settings, begun, sides, train, validation, together, progress, say
        )
    return _train_statistical(folder, settings, sides, train, validation, together, progress)


def _begin(folder: Path, settings: Settings, data: str, together: Any) -> dict[str, Any] | None:
    """What ``plan.json`` says, if the folder is that of this training; None if it has ended."""
    begun: Any = None
    if together is None or together.is_first:
        begun = _begun(folder, settings, data)
    if together is not None:
        begun = together.broadcast(begun)
    if isinstance(begun, str):
        raise FolderError(begun)
    return begun


def _begun(folder: Path, settings: Settings, data: str) -> dict[str, Any] | str | None:
    wanted = {"format": FORMAT, "settings": settings.as_dict(), "data": data}
    if folder.exists() and not folder.is_dir():
        return f"{folder}: this is a file, expected a folder"
    if not (folder / "plan.json").exists():
        if folder.exists() and any(folder.iterdir()):
            return f"{folder}: this folder holds other things, expected a new or an empty one"
        return wanted
    try:
        begun = read_json(folder / "plan.json")
    except FolderError as problem:
        return str(problem)
    theirs, ours = begun.get("settings", {}), wanted["settings"]
    for name, value in ours.items():
        if theirs.get(name) != value:
            return (
                f"{folder}: this system was begun with {name} = {theirs.get(name)}, here it is "
                f"{value}: name another folder, or delete this one"
            )
    if begun.get("data") != data:
        return (
            f"{folder}: this system was begun with other text: name another folder, or delete "
            "this one"
        )
    return None if (folder / SEAL).exists() else begun


def _digest(*parts: Pairs) -> str:
    digest = hashlib.sha256()
    for pairs in parts:
        digest.update(f"{len(pairs)}\n".encode())
        for source, target in pairs:
            digest.update(f"{' '.join(source)}\t{' '.join(target)}\n".encode())
    return digest.hexdigest()


def _train_statistical(
    folder: Path,
    settings: Settings,
    sides: tuple[Segmenter, Segmenter],
    train: Pairs,
    validation: Pairs,
    together: Any,
    progress: bool,
) -> System:
    from softalign.systems.statistical import save_statistical, train_statistical

    first = together is None or together.is_first
    if first:
        folder.mkdir(parents=True, exist_ok=True)
        plan = {
            "format": FORMAT,
            "settings": settings.as_dict(),
            "data": _digest(train, validation),
        }
        write_json(folder / "plan.json", plan)
        begin = time.process_time()
        decoder = train_statistical(
            settings.family, train, validation, seed=settings.seed, progress=progress
        )
        history = {"seconds": time.process_time() - begin}
        save_statistical(decoder, folder)
        written = sorted(p.name for p in folder.iterdir() if p.name not in ("plan.json", SEAL))
        about = _about(settings, len(decoder.table), None, history)
        seal(folder, [name for name in written if not name.startswith(".")], about)
    if together is not None:
        together.broadcast(None)  # the others wait for the files
    return load_system(folder)


def _train_neural(
    folder: Path,
    settings: Settings,
    begun: dict[str, Any],
    sides: tuple[Segmenter, Segmenter],
    train: Pairs,
    validation: Pairs,
    together: Any,
    progress: bool,
    say: Callable[[str], None],
) -> System:
    from softalign.data_parallel import Team
    from softalign.systems.neural import Plan, example, fit_system, make_model, make_plan
    from softalign.text import Vocabulary

    together = together or Team()
    sides = tuple(_cut(side, settings, train, place) for place, side in enumerate(sides))

    def examples(pairs: Pairs) -> list:
        return [example(*(s.pieces(w) for s, w in zip(sides, p, strict=True))) for p in pairs]

    learnt, checked = examples(train), examples(validation[:VALIDATED_ON])
    known = tuple(Vocabulary.from_training([pair[k] for pair in learnt]) for k in (0, 1))
    if "plan" not in begun:
        plan = make_plan(settings, known, learnt, together)
        begun = {**begun, "plan": plan._asdict()}
        if together.is_first:
            folder.mkdir(parents=True, exist_ok=True)
            write_json(folder / "plan.json", begun)
    plan = Plan(**begun["plan"])
    model = make_model(settings, plan, known, together)
    again = together.is_first and (folder / CHECKPOINT).exists()
    say(
        f"{settings.family}: {plan.parameters:,} parameters, {plan.steps:,} steps"
        + (", going on from the last checkpoint" if again else "")
    )
    history = fit_system(
        settings,
        plan,
        model,
        learnt,
        checked,
        together=together,
        checkpoint=folder / CHECKPOINT,
        progress=progress,
    )
    seconds = float(together.sum(_number(history.seconds, together)))
    kept = {
        "steps": history.steps,
        "best_step": history.best_step,
        "seconds": seconds,
        "losses": list(history.losses),
        "validations": [list(pair) for pair in history.validations],
    }
    if together.is_first:
        _write(folder, settings, plan, sides, known, model, kept)
    return System(settings, *sides, model.eval(), plan.parameters, kept)


def _number(value: float, together: Any) -> Any:
    import torch

    return torch.tensor(value, dtype=torch.float64, device=together.device)


def _cut(side: Segmenter, settings: Settings, train: Pairs, place: int) -> Segmenter:
    sentences = [pair[place] for pair in train]
    types = len({word for words in sentences for word in words})
    size = choose_subwords(types) if settings.subwords is None else settings.subwords
    return side.learn(sentences, size) if 0 < size < types else side


def _about(
    settings: Settings, parameters: int, hidden: int | None, history: dict[str, Any]
) -> dict[str, Any]:
    import softalign

    return {
        "softalign": softalign.__version__,
        "settings": settings.as_dict(),
        "parameters": parameters,
        "hidden_size": hidden,
        "history": history,
    }


def _write(
    folder: Path,
    settings: Settings,
    plan: Any,
    sides: tuple[Segmenter, ...],
    known: tuple,
    model: Any,
    history: dict[str, Any],
) -> None:
    import torch

    names = []
    for name, side, vocabulary in zip(("source", "target"), sides, known, strict=True):
        if side.subwords is not None:
            write_bytes(folder / f"{name}.subwords", side.subwords)
            names.append(f"{name}.subwords")
        vocabulary.save(folder / f"{name}.vocab")
        names.append(f"{name}.vocab")
    content = io.BytesIO()
    weights = {key: value.detach().cpu() for key, value in model.state_dict().items()}
    torch.save(weights, content)
    write_bytes(folder / "weights.pt", content.getvalue())
    about = _about(settings, plan.parameters, plan.hidden_size, history)
    seal(folder, [*names, "weights.pt"], json.loads(json.dumps(about)))
    (folder / CHECKPOINT).unlink(missing_ok=True)
