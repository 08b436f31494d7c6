"""What the catalogue holds on the first day. Pure data.

The prices are invented, for the demo: the owner must confirm each one before real money
may flow. The topics follow the customer's own terms; the owner may edit them later.
"""

from dataclasses import dataclass

from portal.catalog.rules import (
    ASISTENCIA_TERRENO,
    REINSTALACION,
    SERVICIO_TECNICO,
    SOPORTE_ONLINE,
)


@dataclass(frozen=True)
class DefaultService:
    """A service of the first day; prices in pesos with IVA."""

    slug: str
    name: str
    summary: str
    details: str
    price_normal: int
    price_special: int | None = None


@dataclass(frozen=True)
class DefaultTopic:
    """A topic of the first day."""

    slug: str
    title: str
    covered: bool
    answer: str
    service_slug: str | None = None


SERVICES = (
    DefaultService(
        SOPORTE_ONLINE,
        "Soporte en línea",
        "Un técnico de la Mesa de Ayuda le atiende ahora, por conexión remota.",
        "Una atención de hasta 90 minutos para que su programa ItplusNet vuelva a "
        "funcionar. No necesita un contrato activo: paga en línea y le atendemos de "
        "inmediato, dentro del horario de atención.",
        19_990,
        29_990,
    ),
    DefaultService(
        REINSTALACION,
        "Reinstalación del programa",
        "Volvemos a instalar y a dejar funcionando el programa ItplusNet en su equipo.",
        "Para cuando el programa ya no está en el equipo o hay que ponerlo en otro. "
        "Necesita Windows de 32 bits. No recupera información borrada sin respaldo. "
        "Coordinamos el día y la hora con usted.",
        45_990,
    ),
    DefaultService(
        SERVICIO_TECNICO,
        "Servicio técnico",
        "Problemas de sus computadores o de su red: virus, Windows dañado, equipos.",
        "Revisión y reparación de computadores o red: virus, Windows dañado, formateo, "
        "reinstalación de Windows y fallas de hardware. Coordinamos con usted cómo y "
        "cuándo. Los repuestos no están incluidos.",
        39_990,
    ),
    DefaultService(
        ASISTENCIA_TERRENO,
        "Asistencia en terreno",
        "Un técnico va a su local. Solo en Santiago.",
        "Un técnico visita su local para lo que no se puede resolver a distancia. Solo "
        "en Santiago, en las comunas que aparecen al comprar. Coordinamos el día y la "
        "hora con usted.",
        59_990,
    ),
)


def _covered(slug: str, title: str, answer: str) -> DefaultTopic:
    return DefaultTopic(slug, title, True, answer)


def _excluded(
    slug: str, title: str, answer: str, service: str | None = None
) -> DefaultTopic:
    return DefaultTopic(slug, title, False, answer, service)


TOPICS = (
    _covered(
        "error-del-programa",
        "El programa muestra un error",
        "Sí. Buscamos la causa y la corregimos, o le indicamos cómo saltar el error "
        "para que siga trabajando.",
    ),
    _covered(
        "no-parte",
        "El programa no parte",
        "Sí. Levantamos el programa con usted hasta que abra.",
    ),
    _covered(
        "disco-virtual",
        "Problema con el disco virtual",
        "Sí. Revisamos el disco virtual que usa el programa.",
    ),
    _covered(
        "isbutton",
        "Problema con el isButton",
        "Sí. Revisamos que el programa reconozca el isButton. Si la llave está dañada, "
        "se lo diremos antes de seguir.",
    ),
    _covered(
        "base-de-datos",
        "Revisar la base de datos",
        "Sí. Analizamos su base de datos y le explicamos lo que encontramos.",
    ),
    _covered(
        "consulta",
        "Tengo una consulta de uso",
        "Sí. Le explicamos cómo se hace, con el programa a la vista.",
    ),
    _covered(
        "capacitacion",
        "Necesito capacitación",
        "Sí. Le enseñamos a usar la parte del programa que usted necesita, dentro del "
        "tiempo de la atención.",
    ),
    _covered(
        "imagen-corporativa",
        "Poner mi imagen en un documento",
        "Sí. Adaptamos su imagen corporativa a un documento o reporte. Tenga a mano el "
        "archivo de la imagen.",
    ),
    _covered(
        "campos-de-reporte",
        "Cambiar campos sencillos de un reporte",
        "Sí, cuando son campos sencillos de una misma tabla. Un reporte nuevo o con "
        "varias tablas no cabe en esta atención.",
    ),
    _covered(
        "compatibilidad",
        "Compatibilidad de mi equipo con el programa",
        "Sí, en un Windows de 32 bits. En Windows de 64 bits el programa no funciona.",
    ),
    _covered(
        "antivirus",
        "Mi antivirus bloquea el programa",
        "Sí. Configuramos su antivirus para que deje trabajar al programa. Limpiar un "
        "virus del equipo es otro servicio.",
    ),
    _covered(
        "windows-y-el-programa",
        "Windows no deja funcionar el programa",
        "Sí. Revisamos la configuración de Windows que afecta al programa. Si Windows "
        "está dañado, es otro servicio.",
    ),
    _covered(
        "otro-del-programa",
        "Otro problema del programa ItplusNet",
        "Sí, si es del Punto de Venta y Gestión ItplusNet o de sus derivados. "
        "Cuéntenos qué pasa.",
    ),
    _excluded(
        "reinstalar-programa",
        "Reinstalar el programa ItplusNet",
        "Reinstalar el programa toma más que una atención y se compra aparte.",
        REINSTALACION,
    ),
    _excluded(
        "virus",
        "Mi computador tiene virus",
        "Limpiar virus no es parte del soporte en línea: primero hay que sanar el "
        "equipo.",
        SERVICIO_TECNICO,
    ),
    _excluded(
        "windows-corrupto",
        "Windows está dañado o no parte",
        "Con el sistema operativo corrupto no podemos conectarnos ni asegurar el "
        "programa. Un servicio técnico lo repara.",
        SERVICIO_TECNICO,
    ),
    _excluded(
        "reinstalar-windows",
        "Reinstalar Windows",
        "Reinstalar Windows no se hace en el soporte en línea.",
        SERVICIO_TECNICO,
    ),
    _excluded(
        "formatear",
        "Formatear el equipo",
        "Formatear no se hace en el soporte en línea. Antes de hacerlo, respalde sus "
        "informes y su base de datos.",
        SERVICIO_TECNICO,
    ),
    _excluded(
        "hardware",
        "Falla del equipo, la impresora u otro hardware",
        "Una falla física no se repara a distancia.",
        SERVICIO_TECNICO,
    ),
    _excluded(
        "red",
        "Problema de la red o de otro computador",
        "Los computadores y la red se atienden con el servicio técnico.",
        SERVICIO_TECNICO,
    ),
    _excluded(
        "archivos-de-windows",
        "Se borraron o movieron archivos y el programa se dañó",
        "El soporte en línea no repara daños por manejo de archivos de Windows o de la "
        "librería del programa. Si el programa quedó incompleto, se reinstala.",
        REINSTALACION,
    ),
    _excluded(
        "base-eliminada",
        "Recuperar una base de datos que se eliminó",
        "No podemos recuperar una base de datos que el usuario eliminó, y no vendemos "
        "ningún servicio para eso. Si tiene un respaldo, cópielo a otro lugar y no lo "
        "sobrescriba.",
    ),
    _excluded(
        "formateado-sin-respaldo",
        "Se formateó el equipo sin respaldar",
        "Los informes y la base de datos sin respaldo no se recuperan. El programa se "
        "puede instalar otra vez, vacío, con la reinstalación.",
        REINSTALACION,
    ),
    _excluded(
        "otros-programas",
        "Problema de otro programa o aplicación",
        "Atendemos solo el programa ItplusNet. Consulte a quien le vendió ese programa "
        "o aplicación.",
    ),
    _excluded(
        "windows-64-bits",
        "Usar el programa en Windows de 64 bits",
        "El programa funciona solo en Windows de 32 bits. En 64 bits ningún servicio "
        "nuestro lo hace funcionar: necesita un equipo con Windows de 32 bits.",
    ),
    _excluded(
        "visita",
        "Necesito que un técnico venga a mi local",
        "El soporte en línea es a distancia. La visita se compra aparte y es solo en "
        "Santiago.",
        ASISTENCIA_TERRENO,
    ),
)
