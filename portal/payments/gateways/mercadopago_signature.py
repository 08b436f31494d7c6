"""Whether a notification was signed by Mercado Pago. No network here."""

import re

_SIGNATURE_LIMIT = 200
_TS = re.compile(r"[0-9]{10}|[0-9]{13}", re.ASCII)
_V1 = re.compile(r"[0-9a-f]{64}", re.ASCII)
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,100}", re.ASCII)


def is_signed(
    signature: str, request_id: str | None, data_id: str, keys: tuple[str, ...]
) -> bool:
    """Whether the notification's headers sign this `data.id` under one of the secrets.

    The form is checked before the SDK's validator, which accepts an empty secret,
    crashes on a hash that is not ASCII and takes `ts` for seconds only. The age is not
    checked: a notification is only a hint, whatever its age. Newer documentation signs
    the id in lower case, the SDKs sign it verbatim: both are tried.
    """
    parts = _signature_parts(signature)
    if parts is None or not data_id:
        return False
    if request_id is not None and not _REQUEST_ID.fullmatch(request_id):
        return False
    return any(
        _validates(f"ts={parts[0]},v1={parts[1]}", request_id, spelling, key)
        for key in keys
        if key
        for spelling in {data_id, data_id.lower()}
    )


def _signature_parts(signature: str) -> tuple[str, str] | None:
    """`ts` and `v1`, each exactly once, in their exact forms."""
    if len(signature) > _SIGNATURE_LIMIT or not signature.isascii():
        return None
    pairs = [part.strip(" ").split("=", 1) for part in signature.split(",")]
    if any(len(pair) != 2 for pair in pairs):
        return None
    names = [name for name, _ in pairs]
    if names.count("ts") != 1 or names.count("v1") != 1:
        return None
    values = {name: value for name, value in pairs}
    if not (_TS.fullmatch(values["ts"]) and _V1.fullmatch(values["v1"])):
        return None
    return values["ts"], values["v1"]


def _validates(
    signature: str, request_id: str | None, data_id: str, secret: str
) -> bool:
    # Here, as `Gateways` says.
    from mercadopago.webhook import (
        InvalidWebhookSignatureError,
        WebhookSignatureValidator,
    )

    try:
        WebhookSignatureValidator.validate(signature, request_id, data_id, secret)
    except InvalidWebhookSignatureError:
        return False
    return True
