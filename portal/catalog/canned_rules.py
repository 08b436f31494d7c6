"""The canned solutions of the first day; the owner edits them later. Pure data."""

from dataclasses import dataclass


@dataclass(frozen=True)
class DefaultCanned:
    """A text that the customer reads; without a topic it fits every one."""

    slug: str
    title: str
    text: str
    topic_slug: str | None = None


CANNED = (
    DefaultCanned(
        "error-limpiado",
        "Error limpiado",
        "Cerramos el programa, limpiamos el error y probamos una venta completa.",
        "error-del-programa",
    ),
    DefaultCanned(
        "programa-iniciado",
        "El programa abre",
        "El programa vuelve a abrir. Probamos la entrada de un usuario y una venta.",
        "no-parte",
    ),
    DefaultCanned(
        "disco-reconectado",
        "Disco virtual conectado",
        "Volvimos a conectar el disco virtual y dejamos que se conecte al encender.",
        "disco-virtual",
    ),
    DefaultCanned(
        "isbutton-reconocido",
        "isButton reconocido",
        "El programa reconoce de nuevo el isButton. No lo retire mientras trabaja.",
        "isbutton",
    ),
    DefaultCanned(
        "base-revisada",
        "Base de datos revisada",
        "Revisamos la base de datos y reconstruimos sus índices. Los datos están.",
        "base-de-datos",
    ),
    DefaultCanned(
        "antivirus-excluido",
        "Excluido del antivirus",
        "Dejamos la carpeta del programa fuera de la revisión del antivirus.",
        "antivirus",
    ),
    DefaultCanned(
        "respaldo-sugerido",
        "Respaldo",
        "Le sugerimos respaldar sus datos cada día y guardar la copia en otro equipo.",
    ),
    DefaultCanned(
        "reinicio-pedido",
        "Reiniciar el equipo",
        "Vamos a reiniciar el equipo. Guarde lo que tenga abierto, por favor.",
    ),
)
