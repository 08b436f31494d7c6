"""What a customer may say of a closed attention. Pure."""

from portal.text import clean_text

MIN_STARS, MAX_STARS = 1, 5
MAX_COMMENT = 500
STAR_WORDS = {5: "Excelente", 4: "Buena", 3: "Regular", 2: "Mala", 1: "Muy mala"}


def parse_stars(text: object) -> int:
    """1 to 5. Raises ValueError in Spanish."""
    if text not in {str(stars) for stars in STAR_WORDS}:
        raise ValueError("Elija de 1 a 5.")
    return int(str(text))


def clean_comment(text: object) -> str | None:
    """The comment, tidied; None without one. Raises ValueError in Spanish."""
    return clean_text(text, MAX_COMMENT, multiline=True) or None
