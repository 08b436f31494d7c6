"""The gateways of this installation, built once from its settings."""

from dataclasses import dataclass

from portal.config import Settings
from portal.payments import states
from portal.payments.gateways.base import Gateway
from portal.payments.gateways.mercadopago import MercadoPagoGateway
from portal.payments.gateways.webpay import WebpayGateway

__all__ = ["Gateways", "build_gateways"]


@dataclass(frozen=True, kw_only=True)
class Gateways:
    """Both gateways with what every use of them needs.

    `keys` make references and open sealed tokens; `live` is what Mercado Pago's
    `live_mode` must say, None where a demo accepts both.
    """

    webpay: WebpayGateway
    mercadopago: MercadoPagoGateway
    keys: tuple[str, ...]
    live: bool | None

    def by_name(self, name: str) -> Gateway:
        """The gateway of this name. Raises KeyError."""
        known: dict[str, Gateway] = {
            states.WEBPAY: self.webpay,
            states.MERCADOPAGO: self.mercadopago,
        }
        return known[name]


def build_gateways(settings: Settings) -> Gateways:
    """The gateways as the settings name them."""
    return Gateways(
        webpay=WebpayGateway(
            code=settings.webpay_commerce_code,
            key=settings.webpay_api_key,
            api_url=settings.webpay_api_url,
            return_url=f"{settings.public_url}/pago/webpay/retorno",
        ),
        mercadopago=MercadoPagoGateway(
            token=settings.mercadopago_access_token,
            api_url=settings.mercadopago_api_url,
            public_url=settings.public_url,
        ),
        keys=settings.secret_keys,
        live=None if settings.is_demo else True,
    )
