"""Java's TLS and SASL settings as librdkafka's: key stores and JAAS lines become PEM paths, user names and passwords."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from connect.api import ConfigProblem

SECURITY_KEYS = frozenset(
    {
        "security.protocol",
        "sasl.jaas.config",
        "sasl.mechanism",
        "sasl.oauthbearer.token.endpoint.url",
        "sasl.oauthbearer.scope",
        "sasl.oauthbearer.client.credentials.client.id",
        "sasl.oauthbearer.client.credentials.client.secret",
        "ssl.key.password",
        "ssl.keystore.certificate.chain",
        "ssl.keystore.key",
        "ssl.keystore.location",
        "ssl.keystore.password",
        "ssl.keystore.type",
        "ssl.truststore.certificates",
        "ssl.truststore.location",
        "ssl.truststore.password",
        "ssl.truststore.type",
        "ssl.endpoint.identification.algorithm",
    }
)
"""The keys that :func:`translate_security` reads together, since each means something only beside the others."""

_PROTOCOLS = ("PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL")
_PASSWORD_MECHANISMS = ("PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512")


@dataclass(slots=True)
class Security:
    """librdkafka's settings, and what is wrong with Java's."""

    config: dict[str, str] = field(default_factory=dict)
    problems: list[ConfigProblem] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class JaasEntry:
    """One line of ``sasl.jaas.config``: ``module required name="value" ...;``."""

    module: str
    options: Mapping[str, str]


_JAAS_TOKEN = re.compile(r"""\s*(?:"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([=;])|([^\s=;"']+))""")
_JAAS_FLAGS = ("required", "requisite", "sufficient", "optional")


def parse_jaas(text: str) -> JaasEntry:
    """The login module and its options. Raises ValueError with what is malformed (never with the secret in it)."""
    words = list(_jaas_words(text))
    if len(words) < 3 or words[-1] != (";", True) or words[1][0].lower() not in _JAAS_FLAGS:
        raise ValueError("it must read 'login.module.Class required name=\"value\" ...;', the semicolon included")
    options: dict[str, str] = {}
    body = words[2:-1]
    for position in range(0, len(body), 3):
        name, equals, value = (*body[position : position + 3], ("", False), ("", False))[:3]
        if equals != ("=", True) or value[1] or len(body) < position + 3:
            raise ValueError(f"'{name[0]}' has no value: options are written name=\"value\"")
        options[name[0]] = value[0]
    return JaasEntry(words[0][0], options)


def _jaas_words(text: str) -> Iterator[tuple[str, bool]]:
    """Words, each with whether it is one of the signs ``=`` and ``;``."""
    position = 0
    text = text.rstrip()
    while position < len(text):
        match = _JAAS_TOKEN.match(text, position)
        if match is None:
            raise ValueError("a quotation mark is not closed")
        position = match.end()
        double, single, sign, bare = match.groups()
        quoted = double if double is not None else single
        if quoted is not None:
            yield re.sub(r"\\(.)", r"\1", quoted), False
        else:
            yield sign or bare, bool(sign)


def translate_security(java: Mapping[str, str]) -> Security:
    """TLS and SASL. Keys that the protocol in force does not use are left out, as Java leaves them unread."""
    result = Security()
    protocol = java.get("security.protocol", "PLAINTEXT").upper()
    if protocol not in _PROTOCOLS:
        choice = f"Use one of {', '.join(_PROTOCOLS)}."
        result.problems.append(ConfigProblem("security.protocol", f"'{protocol}' is no security protocol.", choice))
        return result
    if protocol != "PLAINTEXT":
        result.config["security.protocol"] = protocol
    if protocol.endswith("SSL"):
        _add_trust(java, result)
        _add_identity(java, result)
        if java.get("ssl.endpoint.identification.algorithm", "https").strip() == "":
            result.config["ssl.endpoint.identification.algorithm"] = "none"
    if protocol.startswith("SASL"):
        _add_login(java, result)
    return result


def _store_type(java: Mapping[str, str], store: str) -> str:
    """Java's default type JKS reads PKCS12 files too; then the name is the only hint."""
    given = java.get(f"ssl.{store}.type", "JKS").upper()
    location = java.get(f"ssl.{store}.location", "").lower()
    if given == "JKS" and location.endswith((".p12", ".pfx")):
        return "PKCS12"
    return "PEM" if given == "JKS" and location.endswith((".pem", ".crt")) else given


def _add_trust(java: Mapping[str, str], result: Security) -> None:
    if certificates := java.get("ssl.truststore.certificates"):
        result.config["ssl.ca.pem"] = certificates
    location = java.get("ssl.truststore.location")
    if not location:
        return
    kind = _store_type(java, "truststore")
    if kind == "PEM":
        result.config["ssl.ca.location"] = location
        return
    result.problems.append(
        ConfigProblem(
            "ssl.truststore.location",
            f"{location} is a {kind} trust store; only PEM files are read.",
            f"Convert it: {_to_pem(location, kind, 'ca.pem', '-nokeys')}. "
            "Then set ssl.truststore.type=PEM and ssl.truststore.location=/path/to/ca.pem, without ssl.truststore.password.",
        )
    )


def _add_identity(java: Mapping[str, str], result: Security) -> None:
    """The client's own certificate and key."""
    for java_key, key in (
        ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
        ("ssl.keystore.key", "ssl.key.pem"),
        ("ssl.key.password", "ssl.key.password"),
    ):
        if java.get(java_key):
            result.config[key] = java[java_key]
    location = java.get("ssl.keystore.location")
    if not location:
        return
    kind = _store_type(java, "keystore")
    if kind == "PEM":
        result.config |= {"ssl.certificate.location": location, "ssl.key.location": location}
    elif kind == "PKCS12":
        result.config |= {"ssl.keystore.location": location, "ssl.keystore.password": java.get("ssl.keystore.password", "")}
        result.config.pop("ssl.key.password", None)
    else:
        result.problems.append(
            ConfigProblem(
                "ssl.keystore.location",
                f"{location} is a {kind} key store; PEM files and PKCS12 stores are read.",
                f"Convert it: keytool -importkeystore -srckeystore {location} -destkeystore client.p12 -deststoretype PKCS12. "
                "Then set ssl.keystore.type=PKCS12 and ssl.keystore.location=/path/to/client.p12.",
            )
        )


def _to_pem(location: str, kind: str, target: str, what: str) -> str:
    to_pem = f"openssl pkcs12 {what} -out {target} -in "
    if kind == "PKCS12":
        return to_pem + location
    return f"keytool -importkeystore -srckeystore {location} -destkeystore store.p12 -deststoretype PKCS12 && {to_pem}store.p12"


def _add_login(java: Mapping[str, str], result: Security) -> None:
    mechanism = java.get("sasl.mechanism", "GSSAPI").upper()
    entry = _jaas_entry(java, result)
    if entry is None:
        return
    result.config["sasl.mechanisms"] = mechanism
    if mechanism in _PASSWORD_MECHANISMS:
        for option, key in (("username", "sasl.username"), ("password", "sasl.password")):
            if option not in entry.options:
                message = f"The login of mechanism {mechanism} has no {option}."
                result.problems.append(ConfigProblem("sasl.jaas.config", message, f'Add {option}="..." to the line.'))
            result.config[key] = entry.options.get(option, "")
    elif mechanism == "OAUTHBEARER":
        _add_oauth(java, entry, result)
    else:
        result.problems.append(
            ConfigProblem(
                "sasl.mechanism",
                f"SASL mechanism {mechanism} is not supported.",
                "Use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER, or a TLS client certificate (security.protocol=SSL).",
            )
        )


def _jaas_entry(java: Mapping[str, str], result: Security) -> JaasEntry | None:
    text = java.get("sasl.jaas.config", "")
    if not text and "sasl.oauthbearer.client.credentials.client.id" in java:
        return JaasEntry("", {})
    try:
        if not text:
            raise ValueError("it is missing, and files named by java.security.auth.login.config are not read")
        return parse_jaas(text)
    except ValueError as error:
        remedy = 'An example: org.apache.kafka.common.security.plain.PlainLoginModule required username="me" password="secret";'
        result.problems.append(ConfigProblem("sasl.jaas.config", f"The SASL login cannot be read: {error}.", remedy))
        return None


def _add_oauth(java: Mapping[str, str], entry: JaasEntry, result: Security) -> None:
    wanted = {
        "sasl.oauthbearer.client.id": entry.options.get(
            "clientId", java.get("sasl.oauthbearer.client.credentials.client.id", "")
        ),
        "sasl.oauthbearer.client.secret": entry.options.get(
            "clientSecret", java.get("sasl.oauthbearer.client.credentials.client.secret", "")
        ),
        "sasl.oauthbearer.token.endpoint.url": java.get("sasl.oauthbearer.token.endpoint.url", ""),
    }
    for key, value in wanted.items():
        if not value:
            message = f"OAUTHBEARER needs {key.removeprefix('sasl.oauthbearer.')}."
            remedy = 'Set sasl.oauthbearer.token.endpoint.url, and clientId="..." clientSecret="..." in sasl.jaas.config.'
            result.problems.append(ConfigProblem("sasl.jaas.config", message, remedy))
    result.config |= wanted | {"sasl.oauthbearer.method": "oidc"}
    scope = entry.options.get("scope", java.get("sasl.oauthbearer.scope", ""))
    if scope:
        result.config["sasl.oauthbearer.scope"] = scope
