"""Sixty hostile forms of Mercado Pago's x-signature, none of which may be accepted."""

import hashlib
import hmac

SECRET = "v1-test-secret-not-a-real-key"
TS = "1742505638683"
DATA_ID = "123456"


def sign(data_id: str, secret: str, ts: str = TS, request_id: str | None = "r1") -> str:
    """The header that Mercado Pago sends for these values."""
    manifest = f"id:{data_id};"
    if request_id is not None:
        manifest += f"request-id:{request_id};"
    manifest += f"ts:{ts};"
    v1 = hmac.new(secret.encode(), manifest.encode(), hashlib.sha256).hexdigest()
    return f"ts={ts},v1={v1}"


_GOOD = sign(DATA_ID, SECRET).split("v1=")[1]
_EMPTY_KEY = sign(DATA_ID, "").split("v1=")[1]
_PLAIN = hashlib.sha256(f"id:{DATA_ID};request-id:r1;ts:{TS};".encode()).hexdigest()
# (signature, x-request-id, data.id). Most damage the header alone.
HEADERS = [
    "",
    " ",
    ",",
    "=",
    "ts",
    "v1",
    "ts=,v1=",
    f"ts={TS}",
    f"v1={_GOOD}",
    f"ts={TS},v1=",
    f"ts=,v1={_GOOD}",
    f"ts={TS},v1={_GOOD[:-1]}",
    f"ts={TS},v1={_GOOD}0",
    f"ts={TS},v1={_GOOD.upper()}",
    f"ts={TS},v1={'0' * 64}",
    f"ts={TS},v1={'é' * 64}",
    f"ts={TS},v1={'z' * 64}",
    f"ts={TS},v2={_GOOD}",
    f"ts={TS},v0={_GOOD}",
    f"ts={TS};v1={_GOOD}",
    f"ts={TS},v1={_GOOD},v1={'0' * 64}",
    f"ts={TS},v1={'0' * 64},v1={_GOOD}",
    f"ts={TS},ts={TS},v1={_GOOD}",
    f"ts=1,v1={_GOOD}",
    f"ts=0{TS[1:]},v1={_GOOD}",
    f"ts=-{TS[1:]},v1={_GOOD}",
    f"ts=1e12,v1={_GOOD}",
    f"ts={TS}.0,v1={_GOOD}",
    f"ts=١٧٤٢٥٠٥٦٣٨,v1={_GOOD}",
    f"ts={TS},v1=0x{_GOOD[2:]}",
    f"ts={TS},v1={_GOOD}\x00",
    f"ts={TS},v1={_GOOD}\n",
    f"TS={TS},V1={_GOOD}",
    f"ts={TS}, ,v1={_GOOD}",
    f"{'a=b,' * 100}ts={TS},v1={_GOOD}",
    "a" * 10_000,
    "ts" * 5000,
    f'ts={TS},v1="{_GOOD}"',
    f"ts={TS},v1= {_GOOD[1:]}",
    f"ts={TS},v1={_GOOD[::-1]}",
    # Other keys, other texts, another kind of sum.
    f"ts={TS},v1={_EMPTY_KEY}",
    f"ts={TS},v1={_PLAIN}",
    sign(DATA_ID, "another secret"),
    sign(DATA_ID, SECRET + "\n"),
    sign(DATA_ID, SECRET.upper()),
    sign("654321", SECRET),
    sign(DATA_ID, SECRET, request_id=None),
    sign(DATA_ID, SECRET, request_id="r2"),
    sign(DATA_ID, SECRET).replace(TS, str(int(TS) + 1)),
    sign(DATA_ID, SECRET).replace(TS, TS[:10]),
    f"ts={TS},v1={_GOOD},v2={_GOOD}" * 10,
    f"v1={_GOOD};ts={TS}",
    f"ts={TS}&v1={_GOOD}",
]
FORMS: list[tuple[str, str | None, str]] = [
    *((header, "r1", DATA_ID) for header in HEADERS),
    # A good signature, carried over to something else.
    (sign(DATA_ID, SECRET), "r2", DATA_ID),
    (sign(DATA_ID, SECRET), None, DATA_ID),
    (sign(DATA_ID, SECRET), "", DATA_ID),
    (sign(DATA_ID, SECRET), "r" * 500, DATA_ID),
    (sign(DATA_ID, SECRET), "r1", "123457"),
    (sign(DATA_ID, SECRET), "r1", ""),
    (sign(DATA_ID, SECRET), "r1", DATA_ID + "0"),
]
