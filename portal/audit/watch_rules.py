"""What may go wrong with the machine itself, and what to do about each. Pure."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from portal.chile import format_date

DISK, DATABASE, INVARIANTS = "disk", "database", "invariants"
CERTIFICATE = "certificate"
MERCADOPAGO_KEY, WEBPAY_KEY = "mercadopago_key", "webpay_key"
# The number of each in the history: never given to another.
NUMBERS = {
    DISK: 1,
    DATABASE: 2,
    INVARIANTS: 3,
    CERTIFICATE: 4,
    MERCADOPAGO_KEY: 5,
    WEBPAY_KEY: 6,
}
WELL, TROUBLE = "well", "trouble"
# A day of a busy shop takes some megabytes; backups and logs may take much more.
MIN_FREE_BYTES = 1_000_000_000
# Certificates of 90 days are renewed a month before their end: later, something failed.
CERTIFICATE_DAYS = 21
# As long as a trouble stands, the owner is reminded once a week.
REMIND_DAYS = 7

TITLES = {
    DISK: "Queda poco espacio en el disco",
    DATABASE: "La base de datos está dañada",
    INVARIANTS: "La revisión diaria encontró una contradicción",
    CERTIFICATE: "El certificado HTTPS necesita atención",
    MERCADOPAGO_KEY: "Mercado Pago rechaza sus credenciales",
    WEBPAY_KEY: "Webpay rechaza sus credenciales",
}
_TRY_AGAIN = (
    "Ponga las nuevas en el servidor, reinicie el portal y el trabajador, y toque "
    "«Probar los medios de pago» en Revisión. Mientras tanto no se puede cobrar."
)
MENDS = {
    DISK: "Pida a quien mantiene el servidor que libere espacio hoy: con el disco "
    "lleno no se puede vender ni guardar un pago.",
    DATABASE: "Pida hoy a quien mantiene el servidor que detenga las ventas, copie la "
    "base y reponga el último respaldo bueno.",
    INVARIANTS: "Pida a quien mantiene el servidor que ejecute «flask verify»: dice "
    "qué pedidos son.",
    CERTIFICATE: "Pida a quien mantiene el servidor que lo renueve: vencido, ningún "
    "cliente puede entrar.",
    MERCADOPAGO_KEY: _TRY_AGAIN,
    WEBPAY_KEY: _TRY_AGAIN,
}


@dataclass(frozen=True, slots=True)
class Finding:
    """How one thing was found to be; `words` are empty when it is well."""

    kind: str
    words: str
    since: datetime

    @property
    def is_trouble(self) -> bool:
        return bool(self.words)


def disk_problem(free_bytes: int) -> str:
    """Empty while there is room."""
    if free_bytes >= MIN_FREE_BYTES:
        return ""
    return "Queda menos de 1 GB libre en el disco de la base de datos."


def certificate_problem(ends: datetime, now: datetime) -> str:
    """Empty while the certificate lasts for more than CERTIFICATE_DAYS."""
    if now >= ends:
        return f"El certificado HTTPS venció el {format_date(ends)}."
    if now >= ends - timedelta(days=CERTIFICATE_DAYS):
        return f"El certificado HTTPS vence el {format_date(ends)}."
    return ""


def mail_key(finding: Finding, now: datetime) -> str:
    """One mail for each trouble when it begins, and one more each week."""
    weeks = (now - finding.since).days // REMIND_DAYS
    return f"{finding.kind}-{finding.since:%Y%m%d%H%M}-{weeks}"
