import pytest

from connect.service.client_security import parse_jaas, translate_security

PLAIN = 'org.apache.kafka.common.security.plain.PlainLoginModule required username="alice" password="a\\"b;=\'c";'


def test_jaas_lines_are_read_with_quotes_and_signs_in_values():
    entry = parse_jaas(PLAIN)
    assert entry.module.endswith("PlainLoginModule")
    assert entry.options == {"username": "alice", "password": "a\"b;='c"}


@pytest.mark.parametrize(
    "text", ["a required username='b'", 'a required username="b;', "a required username;", "a username=b;", ";"]
)
def test_a_malformed_jaas_line_is_said_without_its_secret(text):
    with pytest.raises(ValueError, match=r"required|value|closed") as caught:
        parse_jaas(text)
    assert "'b'" not in str(caught.value)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_login_becomes_user_name_and_password(mechanism):
    java = {"security.protocol": "SASL_SSL", "sasl.mechanism": mechanism, "sasl.jaas.config": PLAIN}
    assert translate_security(java).config == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": mechanism,
        "sasl.username": "alice",
        "sasl.password": "a\"b;='c",
    }


def test_pem_files_are_passed_on():
    java = {
        "security.protocol": "ssl",
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": "/ca.pem",
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": "/client.pem",
        "ssl.key.password": "k",
        "ssl.endpoint.identification.algorithm": "",
    }
    assert translate_security(java).config == {
        "security.protocol": "SSL",
        "ssl.ca.location": "/ca.pem",
        "ssl.certificate.location": "/client.pem",
        "ssl.key.location": "/client.pem",
        "ssl.key.password": "k",
        "ssl.endpoint.identification.algorithm": "none",
    }


def test_a_pkcs12_key_store_is_passed_on():
    java = {
        "security.protocol": "SSL",
        "ssl.keystore.location": "/c.p12",
        "ssl.keystore.password": "p",
        "ssl.key.password": "p",
    }
    config = translate_security(java).config
    assert config == {"security.protocol": "SSL", "ssl.keystore.location": "/c.p12", "ssl.keystore.password": "p"}


@pytest.mark.parametrize(
    ("java", "command"),
    [
        ({"ssl.truststore.location": "/t.jks"}, "keytool -importkeystore -srckeystore /t.jks"),
        ({"ssl.truststore.location": "/t.p12"}, "openssl pkcs12 -nokeys -out ca.pem -in /t.p12"),
        ({"ssl.keystore.location": "/k.jks"}, "keytool -importkeystore -srckeystore /k.jks"),
    ],
)
def test_a_java_store_is_refused_with_the_command_that_converts_it(java, command):
    (problem,) = translate_security({"security.protocol": "SSL", **java}).problems
    assert command in problem.remedy


def test_stores_are_not_looked_at_without_tls():
    assert translate_security({"ssl.truststore.location": "/t.jks"}).problems == []


def test_kerberos_and_a_missing_login_are_said():
    assert "sasl.jaas.config" in translate_security({"security.protocol": "SASL_SSL"}).problems[0].key
    java = {"security.protocol": "SASL_SSL", "sasl.jaas.config": "com.sun.security.auth.module.Krb5LoginModule required;"}
    assert translate_security(java).problems[0].key == "sasl.mechanism"


def test_oauth_logins_ask_the_token_endpoint():
    java = {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
        "sasl.jaas.config": 'x.OAuthBearerLoginModule required clientId="i" clientSecret="s" scope="k";',
    }
    assert translate_security(java).config == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanisms": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "i",
        "sasl.oauthbearer.client.secret": "s",
        "sasl.oauthbearer.scope": "k",
        "sasl.oauthbearer.token.endpoint.url": "https://idp/token",
    }
