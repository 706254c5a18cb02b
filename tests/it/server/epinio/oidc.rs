//! Tokens of dex: whom they let in, what they allow, and which are none.

use std::sync::OnceLock;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use reqwest::Method;
use serde_json::{Value, json};

use super::looks::AUDIENCE;
use super::{Site, get, refused};
use crate::support::issuer::{Away, Issuer, Signer};
use crate::support::server::{Answer, Server};

const MAPPING: &str = "
- connectorId: git
  groups:
  - {id: admins, roles: [admin]}
  - {id: 'org:team', roles: ['application_developer:team', no-such-role]}
- connectorId: ldap
  groups: [{id: admins, roles: [export_viewer]}]
";

/// A cluster with dex, for all tests here that leave it as it is.
struct Place {
    site: Site,
    server: Server,
    issuer: Issuer,
    signer: Signer,
}

fn place() -> &'static Place {
    static SHARED: OnceLock<Place> = OnceLock::new();
    SHARED.get_or_init(|| {
        let signer = Signer::rsa("one");
        let issuer = Issuer::start(&[&signer]);
        let site = Site::start();
        site.namespace("team");
        site.dex(issuer.url(), MAPPING);
        site.system().apply(
            "apiVersion: v1
kind: ConfigMap
metadata: {name: viewer, labels: {epinio.io/role: 'true'}}
data: {id: export_viewer, name: Viewer, actions: 'export_registries_read'}
",
        );
        site.user("carol@example.com", "export_viewer", "workspace");
        let server = site.serve(&[]);
        Place { site, server, issuer, signer }
    })
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// What a token of dex says, with other claims in place of some; null leaves one out.
fn claims(issuer: &str, email: &str, other: &Value) -> Value {
    let mut claims = json!({
        "iss": issuer, "aud": "epinio-api", "sub": "CiQ", "exp": now() + 600, "iat": now(),
        "email": email, "email_verified": true, "groups": [],
        "federated_claims": {"connector_id": "git", "user_id": "1"},
    });
    for (key, value) in other.as_object().unwrap() {
        claims[key] = value.clone();
    }
    claims.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    claims
}

fn ask(server: &Server, token: &str, path: &str) -> Answer {
    let authorization = format!("Bearer {token}");
    let path = format!("/api/v1{path}");
    server.send(Method::GET, &path, &[("Authorization", &authorization)], "")
}

/// The name, roles and namespaces that somebody has by a token.
fn me(server: &Server, token: &str) -> (String, String, Value) {
    let answer = ask(server, token, "/me");
    assert_eq!(answer.status, 200, "{answer:?}");
    let me = answer.json();
    let roles = me["roles"].as_array().unwrap().iter().map(|role| {
        let text = |key: &str| role[key].as_str().unwrap().to_owned();
        format!("{}:{}", text("id"), text("namespace"))
    });
    (me["user"].as_str().unwrap().to_owned(), roles.collect::<Vec<_>>().join(" "), {
        me["namespaces"].clone()
    })
}

#[test]
fn a_token_gives_the_roles_of_groups_and_of_the_secret() {
    let Place { server, issuer, signer, .. } = place();
    let token = |email: &str, other: Value| signer.sign(&claims(issuer.url(), email, &other));
    let of = |email: &str, other: Value| me(server, &token(email, other));
    let (dave, carol) = ("dave@example.com", "carol@example.com");
    let (roles, team) = ("application_developer:team", json!(["team"]));
    assert_eq!(of(dave, json!({"groups": ["org:team", "x"]})), (dave.into(), roles.into(), team));
    assert_eq!(of(carol, json!({"groups": ["org:team"]})), {
        let roles = "export_viewer: application_developer:team";
        (carol.into(), roles.into(), json!(["team", "workspace"]))
    });
    assert_eq!(of(carol, json!({"groups": null})).1, "export_viewer:");
    assert_eq!(of(dave, json!({"groups": ["admins"]})).1, "admin:");
    let ldap = json!({"groups": ["admins"], "federated_claims": {"connector_id": "ldap"}});
    assert_eq!(of(dave, ldap).1, "export_viewer:");
    // Who has no role has the default one.
    for other in [json!({}), json!({"groups": ["admins"], "federated_claims": null})] {
        let token = token(dave, other);
        assert_eq!(me(server, &token).1, "user:");
        assert_eq!(ask(server, &token, "/applications").text, "[]");
        let title = refused(&ask(server, &token, "/namespaces/team/applications"), 403);
        assert_eq!(title, "user unauthorized for namespace team");
    }
    // A role that holds in one namespace holds in no other.
    let token = token(dave, json!({"groups": ["org:team"]}));
    assert_eq!(ask(server, &token, "/namespaces/team/applications").text, "[]");
    let foreign = refused(&ask(server, &token, "/namespaces/workspace/applications"), 403);
    assert_eq!(foreign, "user unauthorized");
    // The native API knows them as well.
    let headers = [("Authorization", format!("Bearer {token}"))];
    let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
    assert_eq!(server.send(Method::GET, "/v1/namespaces/team/apps", &headers, "").status, 200);
    assert!(server.get("/api/v1/info").text.ends_with(r#""oidc_enabled":true}"#));
}

#[test]
fn audiences_and_times_are_taken_as_they_are_meant() {
    let Place { server, issuer, signer, .. } = place();
    for other in [
        json!({"aud": ["epinio-cli", "epinio-api"]}),
        json!({"exp": now() - 30}),
        json!({"nbf": now() + 30}),
        json!({"email_verified": null}),
    ] {
        let token = signer.sign(&claims(issuer.url(), "dave@example.com", &other));
        assert_eq!(ask(server, &token, "/me").status, 200, "{other}");
    }
}

#[test]
fn tokens_that_are_none_let_nobody_in() {
    let Place { server, issuer, signer, .. } = place();
    let admin = json!({"groups": ["admins"]});
    let good = claims(issuer.url(), "dave@example.com", &admin);
    let with = |other: Value| {
        let mut claims = claims(issuer.url(), "dave@example.com", &other);
        claims["groups"] = admin["groups"].clone();
        signer.sign(&claims)
    };
    let public = signer.public()["n"].as_str().unwrap().to_owned();
    let hs256 = Header { kid: Some("one".to_owned()), ..Header::new(Algorithm::HS256) };
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let none = |alg: &str| format!("{}.{}.", part(&json!({"alg": alg, "kid": "one"})), part(&good));
    let valid = signer.sign(&good);
    let (head, signature) = (valid.split_once('.').unwrap().0, valid.rsplit_once('.').unwrap().1);
    let (other, curve) = (Signer::rsa("one"), Signer::ec("one"));
    let bad = [
        ("not signed", none("none")),
        ("not signed, in capitals", none("None")),
        ("no signature", format!("{}.", valid.rsplit_once('.').unwrap().0)),
        ("HS256 with the public key", {
            encode(&hs256, &good, &EncodingKey::from_secret(public.as_bytes())).unwrap()
        }),
        ("HS256 with the bytes of the public key", {
            let bytes = URL_SAFE_NO_PAD.decode(&public).unwrap();
            encode(&hs256, &good, &EncodingKey::from_secret(&bytes)).unwrap()
        }),
        ("a key of somebody else under the same id", other.sign(&good)),
        ("a key of somebody else and another kind", curve.sign(&good)),
        ("RS512", {
            let header = Header { alg: Algorithm::RS512, ..signer.header() };
            signer.sign_as(&header, &good)
        }),
        ("no key", signer.sign_as(&Header::new(Algorithm::RS256), &good)),
        ("a key that there is not", {
            signer.sign_as(&Header { kid: Some("none".to_owned()), ..signer.header() }, &good)
        }),
        ("something that must be understood", {
            let crit = Some(vec!["exp".to_owned()]);
            signer.sign_as(&Header { crit, ..signer.header() }, &good)
        }),
        ("other claims with the signature", {
            let mut claims = good.clone();
            claims["email"] = "admin@example.com".into();
            format!("{head}.{}.{signature}", part(&claims))
        }),
        ("another audience", with(json!({"aud": "epinio-cli"}))),
        ("other audiences", with(json!({"aud": ["epinio-cli", "x"]}))),
        ("no audience", with(json!({"aud": null}))),
        ("another issuer", with(json!({"iss": format!("{}/", issuer.url())}))),
        ("several issuers", with(json!({"iss": [issuer.url(), "x"]}))),
        ("no issuer", with(json!({"iss": null}))),
        ("no end", with(json!({"exp": null}))),
        ("an end that is no number", with(json!({"exp": "never"}))),
        ("not yet", with(json!({"nbf": now() + 90}))),
        ("nobody", with(json!({"email": ""}))),
        ("no name", with(json!({"email": null}))),
        ("a name that is not verified", with(json!({"email_verified": false}))),
        ("a name of two lines", with(json!({"email": "a\nb"}))),
        ("a long name", with(json!({"email": "a".repeat(300)}))),
        ("groups that are no list", {
            signer.sign(&claims(issuer.url(), "dave@example.com", &json!({"groups": "admins"})))
        }),
        ("no token", "a.b.c".to_owned()),
    ];
    for (what, token) in bad {
        let title = refused(&ask(server, &token, "/me"), 401);
        assert_eq!(title, "token verification failed", "{what}");
    }
    let expired = refused(&ask(server, &with(json!({"exp": now() - 90})), "/me"), 401);
    assert_eq!(expired, "token verification failed: token is expired");
    let forged = other.sign(&claims(issuer.url(), "dave@example.com", &json!({"exp": 1})));
    assert_eq!(refused(&ask(server, &forged, "/me"), 401), "token verification failed");
    let huge = with(json!({"email": "a".repeat(20_000)}));
    let answer = ask(server, &huge, "/me");
    assert!([401, 431].contains(&answer.status), "{answer:?}");
    // What is for websockets is for nothing here.
    let websockets =
        get(server, "admin", "/authtoken").json()["token"].as_str().unwrap().to_owned();
    let title = refused(&ask(server, &websockets, "/me"), 401);
    assert_eq!(title, "token verification failed");
    assert_eq!(ask(server, &valid, "/me").status, 200, "and the good one is good");
    let log = server.running().stderr();
    assert!(!log.contains(signature), "{log}");
}

#[test]
fn a_token_of_kubernetes_works_beside_those_of_dex() {
    let Place { site, server, .. } = place();
    let own = site.namespace("beside");
    own.apply("apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: ci}\n");
    let token = own.token("ci", Some(AUDIENCE));
    assert_eq!(me(server, &token).0, "system:serviceaccount:beside:ci");
    let other = own.token("ci", Some("epinio-api"));
    assert_eq!(refused(&ask(server, &other, "/me"), 401), "token verification failed");
}

#[test]
fn keys_change_dex_goes_away_and_its_secret_too() {
    let site = Site::start();
    let (first, second, third) = (Signer::rsa("first"), Signer::ec("second"), Signer::ec("third"));
    let issuer = Issuer::start(&[&first]);
    site.dex(issuer.url(), MAPPING);
    let server = site.serve(&[]);
    let sign = |signer: &Signer| {
        signer.sign(&claims(issuer.url(), "dave@example.com", &json!({"groups": ["admins"]})))
    };
    issuer.away(Some(Away::Status(500)));
    let away = ask(&server, &sign(&first), "/me");
    assert_eq!(refused(&away, 503), "credentials cannot be verified now");
    assert_eq!(away.header("retry-after"), "5");
    // Not even to keys that are good.
    let elsewhere = Issuer::start(&[&first]);
    issuer.away(Some(Away::Redirect(format!("{}/keys", elsewhere.url()))));
    assert_eq!(ask(&server, &sign(&first), "/me").status, 503);
    issuer.away(None);
    server.running().wait_for("dex is asked again", |_, _| {
        (ask(&server, &sign(&first), "/me").status == 200).then_some(())
    });
    let asked = issuer.asked();
    assert_eq!(ask(&server, &sign(&first), "/me").status, 200);
    assert_eq!((issuer.asked(), elsewhere.asked()), (asked, 0));

    issuer.show(&[&second]);
    assert_eq!(ask(&server, &sign(&second), "/me").status, 200, "at once");
    for signer in [&first, &third] {
        assert_eq!(refused(&ask(&server, &sign(signer), "/me"), 401), "token verification failed");
    }
    assert_eq!(issuer.asked(), asked + 1, "an unknown key is not asked for each time");
    issuer.away(Some(Away::Status(503)));
    assert_eq!(ask(&server, &sign(&second), "/me").status, 200, "what is known goes on");

    let off = site.serve(&["--epinio-users", "off"]);
    assert_eq!(refused(&ask(&off, &sign(&second), "/me"), 401), "token verification failed");
    site.dex(issuer.url(), "[]");
    server
        .running()
        .wait_for("other roles", |_, _| (me(&server, &sign(&second)).1 == "user:").then_some(()));
    site.system().delete("v1", "Secret", "dex-config");
    server.running().wait_for("no dex", |_, _| {
        (ask(&server, &sign(&second), "/me").status == 401).then_some(())
    });
    assert!(!server.get("/api/v1/info").text.contains("oidc"));
}
