//! Who is let in, and what roles allow.

use reqwest::Method;
use serde_json::json;

use super::{basic, get, refused, site};

#[test]
fn nobody_is_let_in_without_the_right_password() {
    let (site, _) = site();
    site.user("twice", "admin", "");
    site.system().apply(
        "apiVersion: v1
kind: Secret
metadata: {name: user-again, labels: {epinio.io/api-user-credentials: 'true'}}
stringData: {username: twice, password: x}
",
    );
    let server = site.serve(&[]);
    let with = |authorization: &str| {
        let headers = [("Authorization", authorization)];
        let answer = server.send(Method::GET, "/api/v1/me", &headers, "");
        assert_eq!(answer.header("epinio-version"), "", "{answer:?}");
        refused(&answer, 401)
    };
    assert_eq!(refused(&server.get("/api/v1/me"), 401), "missing credentials");
    assert_eq!(with(&basic("admin", "no")), "wrong user or password");
    assert_eq!(with(&basic("nobody", "pw")), "user not found");
    assert_eq!(with("Basic ?"), "Couldn't extract user or password from the auth header");
    assert_eq!(with("Digest x"), "not supported Authorization Header");
    assert_eq!(with("Bearer x"), "token verification failed");
    assert_eq!(with(&basic("twice", "pw")), "user is defined multiple times");
}

#[test]
fn who_guesses_has_to_wait_and_others_have_not() {
    let (site, _) = site();
    let server = site.serve(&[]);
    let with = |user: &str, password: &str| {
        let headers = [("Authorization", basic(user, password))];
        let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
        server.send(Method::GET, "/api/v1/me", &headers, "").status
    };
    let statuses: Vec<u16> = (0..7).map(|guess| with("dev", &guess.to_string())).collect();
    assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429]);
    assert_eq!(with("dev", "pw"), 429, "nor does the right one tell that it is");
    assert_eq!(with("admin", "pw"), 200);
}

#[test]
fn users_of_epinio_are_known_to_the_native_api() {
    let (_, server) = site();
    let native = |user: &str, path: &str| {
        server.send(Method::GET, path, &[("Authorization", &basic(user, "pw"))], "")
    };
    assert_eq!(native("admin", "/v1/destinations/good").status, 200);
    native("dev", "/v1/destinations/good").problem(403, "FORBIDDEN");
    native("nobody", "/v1/destinations").problem(401, "UNAUTHENTICATED");
}

#[test]
fn a_user_sees_their_own_namespaces_and_hears_of_no_other() {
    let (site, _) = site();
    for name in ["mine", "theirs"] {
        site.namespace(name);
    }
    site.user("guest", "", "mine");
    let server = &site.serve(&[]);
    let names = |user: &str| {
        let answer = get(server, user, "/namespaces");
        let list = answer.json().as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|item| item["meta"]["name"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("guest"), ["mine"]);
    let all = names("admin");
    assert!(["mine", "theirs"].iter().all(|name| all.iter().any(|seen| seen == name)), "{all:?}");
    assert_eq!(get(server, "guest", "/namespaces/mine").json()["meta"]["name"], "mine");
    for name in ["theirs", "none"] {
        let path = format!("/namespaces/{name}");
        let refusal = format!("user unauthorized for namespace {name}");
        assert_eq!(refused(&get(server, "guest", &path), 403), refusal);
        // Epinio looks at the query in place of the path.
        let around = get(server, "guest", &format!("{path}?namespaces[]=mine"));
        assert_eq!(refused(&around, 403), refusal);
        let apps = get(server, "guest", &format!("{path}/applications"));
        assert_eq!(refused(&apps, 403), refusal);
    }
    let missing = refused(&get(server, "admin", "/namespaces/none"), 404);
    assert_eq!(missing, "namespace 'none' does not exist");
    let me = get(server, "guest", "/me").json();
    assert_eq!((&me["roles"][0]["id"], &me["roles"][0]["default"]), (&json!("user"), &json!(true)));
}

#[test]
fn without_users_no_password_is_taken() {
    let (site, _) = site();
    let server = site.serve(&["--epinio-users", "off"]);
    let refusal = refused(&get(&server, "admin", "/me"), 401);
    assert_eq!(refusal, "not supported Authorization Header");
}
