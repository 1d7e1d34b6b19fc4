"""What a measurement by Lighthouse says: scores, times, bytes, and what costs points."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field

# The goals of the book, in points; names as Lighthouse has them.
GOALS = {"performance": 95, "accessibility": 100, "best-practices": 100, "seo": 100}


@dataclass(frozen=True)
class Loss:
    """An audit that costs points: its category, name, title, how many, and where it was seen."""

    category: str
    audit: str
    title: str
    points: float
    where: tuple[str, ...] = ()


@dataclass(frozen=True)
class Measurement:
    """One page in one form factor: points of four categories, and what stands behind them."""

    page: str
    form: str
    scores: dict[str, int]
    lcp_s: float
    cls: float
    tbt_ms: float
    kilobytes: float
    benchmark: float
    losses: tuple[Loss, ...] = ()
    hints: tuple[str, ...] = ()
    warnings: tuple[str, ...] = field(default=())

    def missed(self) -> list[str]:
        """Categories whose goal is not reached."""
        return [name for name, goal in GOALS.items() if self.scores[name] < goal]

    def as_dict(self) -> dict:
        """Plain values, for JSON."""
        return asdict(self)


def restored(values: dict) -> Measurement:
    """A measurement from its plain values."""
    losses = tuple(Loss(**{**loss, "where": tuple(loss["where"])}) for loss in values["losses"])
    rest = {name: tuple(values[name]) for name in ("hints", "warnings")}
    return Measurement(**{**values, "losses": losses, **rest})


def read(page: str, form: str, result: dict) -> Measurement:
    """Read the result of one run of Lighthouse.

    Raises
    ------
    ValueError
        Lighthouse could not measure the page, or one of its categories.
    """
    if result.get("runtimeError", {}).get("code", "NO_ERROR") != "NO_ERROR":
        raise ValueError(result["runtimeError"]["message"])
    categories, audits = result["categories"], result["audits"]
    missing = [name for name in GOALS if categories.get(name, {}).get("score") is None]
    if missing:
        raise ValueError(f"Lighthouse gave no points for {', '.join(missing)}")
    value = {name: audit.get("numericValue") for name, audit in audits.items()}
    return Measurement(
        page=page,
        form=form,
        scores={name: round(100 * categories[name]["score"]) for name in GOALS},
        lcp_s=round(value["largest-contentful-paint"] / 1e3, 2),
        cls=round(value["cumulative-layout-shift"], 4),
        tbt_ms=round(value["total-blocking-time"]),
        kilobytes=round(value["total-byte-weight"] / 1e3),
        benchmark=result["environment"]["benchmarkIndex"],
        losses=tuple(losses(result)),
        hints=tuple(hints(result)),
        warnings=tuple(result.get("runWarnings", ())),
    )


def losses(result: dict) -> list[Loss]:
    """Every audit that costs points, dearest first.

    A category is the mean of its audits, weighted; audits that do not apply count for nothing.
    """
    found = []
    for name in GOALS:
        refs = [
            (ref["weight"], ref["id"], result["audits"][ref["id"]])
            for ref in result["categories"][name]["auditRefs"]
            if ref["weight"] and result["audits"][ref["id"]]["score"] is not None
        ]
        whole = sum(weight for weight, _, _ in refs)
        for weight, identifier, audit in refs:
            points = 100 * weight * (1 - audit["score"]) / whole
            if points > 0.05:
                title = audit["title"]
                if name == "performance":
                    title += f": {audit.get('displayValue', '')}"
                found.append(Loss(name, identifier, title, round(points, 1), places(audit)))
    return sorted(found, key=lambda loss: -loss.points)


def places(audit: dict, most: int = 5) -> tuple[str, ...]:
    """Where on the page an audit failed: pieces of HTML or addresses, the first few."""
    seen = []
    for item in (audit.get("details") or {}).get("items", ()):
        node = item.get("node") or {}
        text = node.get("snippet") or item.get("url") or item.get("description")
        source = item.get("source")
        if not text and isinstance(source, dict):
            text = source.get("url")
        if text and text not in seen:
            seen.append(str(text)[:160])
    return tuple(seen[:most])


def hints(result: dict) -> list[str]:
    """What Lighthouse advises for speed: such audits cost no points themselves."""
    found = []
    for ref in result["categories"]["performance"]["auditRefs"]:
        audit = result["audits"][ref["id"]]
        if ref["weight"] or audit["score"] is None or audit["score"] >= 0.9:
            continue
        saved = {k: v for k, v in (audit.get("metricSavings") or {}).items() if v}
        gain = ", ".join(f"{k} {v:g}" for k, v in sorted(saved.items()))
        gain = f"could gain {gain}" if gain else ""
        parts = [audit["title"], audit.get("displayValue", ""), gain]
        found.append(" · ".join(part for part in parts if part))
    return found
