//! What is asked, and what answers mean, without a server.

use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::{Answer, Call, ControllerError, RowChange};
use crate::destination::iofog::{InvalidRow, NewRow};
use crate::destination::systems::{Address, Row};

fn new(password: &str) -> NewRow {
    NewRow {
        url: "gcr.io".into(),
        username: "_json_key".into(),
        password: password.to_owned().into(),
        email: Some("ann@example.com".into()),
        is_public: false,
        requires_cert: false,
        certificate: None,
    }
}

fn body(call: &Call) -> Value {
    serde_json::from_str(call.body().unwrap().expose_secret()).unwrap()
}

fn said(call: &Call, status: u16, media_type: &str, body: &str) -> ControllerError {
    Answer { status, media_type, body: body.as_bytes() }.id(call, "c.example").unwrap_err()
}

const JSON: &str = "application/json";

#[test]
fn a_key_of_several_lines_is_sent_as_it_is_and_never_printed() {
    let key = "{\n  \"private_key\": \"canary\\n\"\n}";
    let call = Call::create(&new(key)).unwrap();
    assert_eq!(body(&call)["password"], key);
    assert!(!format!("{call:?}").contains("canary"));
    for template in ["can{{ary }}", "{% canary %}"] {
        let refused = Call::create(&new(template)).unwrap_err();
        assert_eq!(refused, InvalidRow::Template("password".into()));
        assert!(!refused.to_string().contains("canary"), "{refused}");
    }
}

#[test]
fn e_mail_addresses_are_taken_as_the_controller_takes_them() {
    let refused = |email: &str| {
        let row = NewRow { email: Some(email.to_owned()), ..new("p") };
        Call::create(&row).is_err()
    };
    for good in ["ann@example.com", "a.b+c@d-e.example", "\"a b\"@c.de", "a@[10.0.0.1]"] {
        assert!(!refused(good), "{good}");
    }
    for bad in ["nomail", "a@b", "a@b.c", "a b@c.de", "a..b@c.de", "a@c.de ", "a@c_d.ef", "@c.de"] {
        assert!(refused(bad), "{bad}");
    }
}

#[test]
fn words_that_quote_the_password_are_not_repeated() {
    let call = Call::create(&new("line\ncanary")).unwrap();
    for message in ["odd: line\\ncanary", "bad \\u001b[2J \\\"line\\\\ncanary\\\""] {
        let answer = format!("{{\"name\":\"ValidationError\",\"message\":\"{message}\"}}");
        let error = said(&call, 400, JSON, &answer).to_string();
        assert!(error.contains("they quote the password") && !error.contains("canary"), "{error}");
    }
    let error = said(&call, 400, JSON, r#"{"message":"a\u001b[2J\nb"}"#).to_string();
    assert!(error.ends_with("does not take the row: a[2Jb"), "{error}");
}

#[test]
fn an_answer_of_another_server_is_told_from_a_controller_s() {
    let create = Call::create(&new("p")).unwrap();
    for (status, media_type, answer) in [
        (200, "text/html", "<html>"),
        (302, "", ""),
        (404, "text/html", "<html>"),
        (404, JSON, "{}"),
        (201, JSON, r#"{"id":"3"}"#),
        (201, JSON, r#"{"id":99999999999}"#),
        (418, JSON, "{}"),
    ] {
        let error = said(&create, status, media_type, answer);
        assert!(matches!(error, ControllerError::Strange { .. }), "{status} {answer}: {error}");
    }
    let delete = Call::delete(3).unwrap();
    let missing = said(&delete, 404, JSON, r#"{"name":"NotFoundError","message":"no"}"#);
    assert!(matches!(missing, ControllerError::NotFound { id: 3, .. }));
    let in_use =
        r#"{"name":"SequelizeForeignKeyConstraintError","message":"SQLITE","stack":"at x"}"#;
    assert!(matches!(said(&delete, 500, JSON, in_use), ControllerError::InUse { id: 3, .. }));
    let failed = said(&create, 500, JSON, r#"{"name":"Error","message":"m","stack":"at x.js:1"}"#);
    assert!(failed.to_string().ends_with("failed (HTTP 500): m"), "{failed}");
}

#[test]
fn only_given_fields_are_sent_and_what_did_not_change_is_named() {
    let change = RowChange {
        url: Some("https://b.example/".into()),
        username: Some("ann".into()),
        requires_cert: Some(false),
        ..RowChange::default()
    };
    let call = Call::update(3, &change).unwrap();
    assert_eq!(
        body(&call),
        serde_json::json!({"url": "https://b.example/", "username": "ann", "requiresCert": false})
    );
    let row = Row { address: Address::parse("https://b.example"), ..Row::default() };
    assert_eq!(change.missing_in(&row), ["username"]);
    for id in [1, 2] {
        let refused = Call::update(id, &change).unwrap_err();
        assert!(matches!(refused, ControllerError::System { .. }), "{refused}");
        assert!(Call::delete(id).is_err());
    }
    let certificate = RowChange { requires_cert: Some(true), ..RowChange::default() };
    assert!(Call::update(3, &certificate).is_err());
    let no_pem = RowChange { certificate: Some("certs".into()), ..RowChange::default() };
    let refused = Call::update(3, &no_pem).unwrap_err();
    assert!(matches!(refused, ControllerError::Row(InvalidRow::NotPem)), "{refused}");
    assert!(RowChange::default().is_empty() && !certificate.is_empty());
}
