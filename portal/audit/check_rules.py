"""What is missing before real money may flow, and how to mend each thing. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Trial:
    """The last time that a gateway's credentials were tried, as they are now."""

    ok: bool
    words: str


@dataclass(frozen=True, kw_only=True)
class Facts:
    """Everything that the list looks at. Empty texts are not set."""

    production: bool
    https: bool
    secret_length: int
    database_words: str
    database_is_safe: bool
    missing_business: tuple[str, ...]
    missing_phones: tuple[str, ...]
    special_mobiles: int
    processors: int
    unconfirmed_prices: tuple[str, ...]
    terms_number: int
    terms_differ: bool
    has_backup: bool
    owners: int
    demo_accounts: int
    demo_values: tuple[str, ...]
    smtp: bool
    mail_sent: bool
    mercadopago: Trial | None
    webpay: Trial | None


@dataclass(frozen=True, slots=True)
class Item:
    """One line of the list: what, whether it is well, and what to do if it is not."""

    title: str
    ok: bool
    mend: str
    link: str = ""


MIN_SECRET = 32
MOBILES = 2


def items(facts: Facts) -> list[Item]:
    """The whole list, in the order in which one mends it."""
    return [*_server(facts), *_business(facts), *_sale(facts), *_trials(facts)]


def _server(facts: Facts) -> list[Item]:
    return [
        Item(
            "El portal está en modo de producción",
            facts.production,
            "Ponga PORTAL_MODE=production y reinicie: en la demostración nada es real.",
        ),
        Item(
            "La dirección pública usa HTTPS",
            facts.https,
            "Ponga en PUBLIC_URL la dirección con https://.",
        ),
        Item(
            "La clave secreta es propia y larga",
            facts.production and facts.secret_length >= MIN_SECRET,
            "Ponga en SECRET_KEY un valor al azar de 32 caracteres o más, y guárdelo "
            "fuera del servidor.",
        ),
        Item(
            f"La base de datos es segura ({facts.database_words})",
            facts.database_is_safe,
            "Instale de nuevo requirements.txt: trae una versión de SQLite sin fallas.",
        ),
        Item(
            "Hay un respaldo de menos de un día, revisado",
            facts.has_backup,
            "Vea que el trabajador ande y que BACKUP_HOURS no sea 0, o haga uno con "
            "flask backup. Guarde copias en otro equipo: docs/operacion.md.",
        ),
        Item(
            "No quedan datos de la demostración",
            not facts.demo_accounts and not facts.demo_values,
            _demo_words(facts),
            "/administrar/equipo",
        ),
    ]


def _demo_words(facts: Facts) -> str:
    found = [f"{facts.demo_accounts} cuentas @demo.cl"] if facts.demo_accounts else []
    found += facts.demo_values
    return f"Cambie o desactive: {', '.join(found)}."


def _business(facts: Facts) -> list[Item]:
    return [
        Item(
            "Los datos de la empresa están completos",
            not facts.missing_business,
            f"Falta: {', '.join(facts.missing_business)}.",
            "/administrar/ajustes/empresa",
        ),
        Item(
            "Los teléfonos y canales están puestos",
            not facts.missing_phones,
            f"Falta: {', '.join(facts.missing_phones)}.",
            "/administrar/ajustes/canales",
        ),
        Item(
            "Hay dos celulares para el horario especial",
            facts.special_mobiles == MOBILES,
            "Escriba los dos: son los que llama el cliente fuera de la oficina.",
            "/administrar/ajustes/canales",
        ),
        Item(
            "Los encargados de datos personales están anotados",
            facts.processors > 0,
            "Anote quién aloja el portal y quién despacha sus correos: la política de "
            "privacidad los nombra.",
            "/administrar/ajustes/encargados",
        ),
        Item(
            "Hay una cuenta de dueña",
            facts.owners > 0,
            "Agréguela con flask user add --role owner.",
            "/administrar/equipo",
        ),
    ]


def _sale(facts: Facts) -> list[Item]:
    return [
        Item(
            "Usted confirmó todos los precios",
            not facts.unconfirmed_prices,
            f"Falta confirmar: {', '.join(facts.unconfirmed_prices)}.",
            "/administrar/precios",
        ),
        Item(
            "Los términos están publicados y dicen lo que rige",
            facts.terms_number > 0 and not facts.terms_differ,
            "Publique la versión que falta.",
            "/administrar/terminos",
        ),
    ]


def _trials(facts: Facts) -> list[Item]:
    return [
        Item(
            "Un correo de prueba salió por su servidor",
            facts.smtp and facts.mail_sent,
            "Ponga SMTP_URL, envíe el correo de prueba y vea que le llegue.",
            "/administrar/revision",
        ),
        _trial("Mercado Pago acepta sus credenciales", facts.mercadopago),
        _trial("Webpay acepta sus credenciales", facts.webpay),
    ]


def _trial(title: str, trial: Trial | None) -> Item:
    words = trial.words if trial else "Todavía no se prueban"
    mend = f"{words}. Toque «Probar los medios de pago»."
    return Item(title, trial is not None and trial.ok, mend, "/administrar/revision")
