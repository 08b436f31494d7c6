"""Pesos: whole numbers with IVA included. There is no fraction of a peso."""

import re
from decimal import ROUND_HALF_UP, Decimal

IVA_RATE = Decimal("0.19")
MAX_PESOS = 100_000_000
_DIGITS = re.compile(r"\d{1,9}", re.ASCII)
_GROUPED = re.compile(r"\d{1,3}(\.\d{3})+", re.ASCII)


def format_pesos(amount: int) -> str:
    """19990 -> '$19.990'."""
    sign = "-" if amount < 0 else ""
    return f"{sign}${abs(amount):,}".replace(",", ".")


def parse_pesos(text: str) -> int:
    """'19990', '19.990' or '$19.990' -> 19990. Raises ValueError for anything else."""
    cleaned = text.strip().removeprefix("$").strip()
    if _GROUPED.fullmatch(cleaned):
        cleaned = cleaned.replace(".", "")
    if not _DIGITS.fullmatch(cleaned):
        raise ValueError("not a whole amount of pesos")
    amount = int(cleaned)
    if amount > MAX_PESOS:
        raise ValueError("an absurd amount of pesos")
    return amount


def split_iva(total: int) -> tuple[int, int]:
    """Net and IVA of a gross amount in pesos; they add up to it exactly."""
    net = int((total / (1 + IVA_RATE)).quantize(Decimal(1), ROUND_HALF_UP))
    return net, total - net
