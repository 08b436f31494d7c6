"""The gateways of this installation, made from its settings."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from portal.config import Settings
from portal.payments import states
from portal.payments.gateways.base import Gateway

if TYPE_CHECKING:
    from portal.payments.gateways.mercadopago import MercadoPagoGateway
    from portal.payments.gateways.webpay import WebpayGateway

__all__ = ["Gateways", "build_gateways"]


@dataclass(frozen=True, kw_only=True)
class Gateways:
    """Both gateways with what every use of them needs.

    `keys` make references and open sealed tokens; `live` is what Mercado Pago's
    `live_mode` must say, None where a demo accepts both. Each gateway is made when it
    is first asked for: the SDKs with their HTTP clients are a tenth of a start.
    """

    settings: Settings
    keys: tuple[str, ...]
    live: bool | None

    @cached_property
    def webpay(self) -> "WebpayGateway":
        """Webpay, under this installation's commerce code."""
        from portal.payments.gateways.webpay import WebpayGateway

        return WebpayGateway(
            code=self.settings.webpay_commerce_code,
            key=self.settings.webpay_api_key,
            api_url=self.settings.webpay_api_url,
            return_url=f"{self.settings.public_url}/pago/webpay/retorno",
        )

    @cached_property
    def mercadopago(self) -> "MercadoPagoGateway":
        """Mercado Pago, under this installation's access token."""
        from portal.payments.gateways.mercadopago import MercadoPagoGateway

        return MercadoPagoGateway(
            token=self.settings.mercadopago_access_token,
            api_url=self.settings.mercadopago_api_url,
            public_url=self.settings.public_url,
        )

    def by_name(self, name: str) -> Gateway:
        """The gateway of this name. Raises KeyError."""
        if name == states.WEBPAY:
            return self.webpay
        if name == states.MERCADOPAGO:
            return self.mercadopago
        raise KeyError(name)

    def make(self) -> None:
        """Make both now, so that no customer's payment waits for it."""
        for name in (states.WEBPAY, states.MERCADOPAGO):
            self.by_name(name)


def build_gateways(settings: Settings) -> Gateways:
    """The gateways as the settings name them."""
    return Gateways(
        settings=settings,
        keys=settings.secret_keys,
        live=None if settings.is_demo else True,
    )
