"""Figures for Prometheus, in its text format. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Metric:
    """One figure, or several told apart by labels; None is left out."""

    name: str
    help: str
    kind: str = "gauge"
    values: Mapping[Labels, float | None] = field(default_factory=dict)


def single(name: str, help: str, value: float | None, kind: str = "gauge") -> Metric:
    """A figure without labels."""
    return Metric(name, help, kind, {(): value})


def _escape(value: str) -> str:
    return value.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{name}="{_escape(value)}"' for name, value in labels)
    return f"{{{inside}}}" if inside else ""


def exposition(metrics: Iterable[Metric]) -> str:
    """All of it as Prometheus reads it (text format 0.0.4)."""
    lines = []
    for metric in metrics:
        lines.append(f"# HELP portal_{metric.name} {metric.help}")
        lines.append(f"# TYPE portal_{metric.name} {metric.kind}")
        lines += [
            f"portal_{metric.name}{_labels(labels)} {value:g}"
            for labels, value in metric.values.items()
            if value is not None
        ]
    return "\n".join(lines) + "\n"
