"""When the certificates in Secrets of type kubernetes.io/tls end.

Invariant: pure; names and labels are x509-certificate-exporter's. What is no certificate has no series: an
alert on the end of a certificate must not read a date that nobody wrote.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import TYPE_CHECKING

from maestro_cli.local.metrics.exposition import Exposition
from maestro_cli.local.objects import Object, name_of, namespace_of

if TYPE_CHECKING:
    from cryptography import x509

TYPE = "kubernetes.io/tls"
KEY = "tls.crt"
FAMILIES = {
    "x509_cert_not_after": "Indicates the certificate's not after timestamp.",
    "x509_cert_not_before": "Indicates the certificate's not before timestamp.",
}


def describe_tls_secret(page: Exposition, secret: Object) -> None:
    """The series of each certificate of the chain; the page knows FAMILIES."""
    for certificate in _certificates(secret):
        labels = {
            "secret_namespace": namespace_of(secret),
            "secret_name": name_of(secret),
            "secret_key": KEY,
            "serial_number": str(certificate.serial_number),
            "subject_CN": _common_name(certificate.subject),
            "issuer_CN": _common_name(certificate.issuer),
        }
        page.add("x509_cert_not_after", labels, certificate.not_valid_after_utc.timestamp())
        page.add("x509_cert_not_before", labels, certificate.not_valid_before_utc.timestamp())


def _certificates(secret: Object) -> Iterator[x509.Certificate]:
    text = (secret.get("data") or {}).get(KEY)
    if secret.get("type") != TYPE or not text:
        return
    from cryptography import x509  # only where there is a certificate: most clusters of drills have none

    try:
        yield from x509.load_pem_x509_certificates(base64.b64decode(text, validate=True))
    except (binascii.Error, ValueError):
        return


def _common_name(name: x509.Name) -> str:
    from cryptography.x509.oid import NameOID

    found = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""
