//! The scripted Controller of ioFog answers as the real one was recorded.

use reqwest::Method;
use serde_json::Value;

use crate::support::block_on;
use crate::support::controller::{Controller, EMAIL, PASSWORD, TOKEN, Trouble};

const REGISTRIES: &str = include_str!("../fixtures/systems/recorded/iofog-registries.txt");
const APPLICATIONS: &str = include_str!("../fixtures/systems/recorded/iofog-application.txt");

const JSON: &str = "application/json";

/// Status, media type and body.
fn ask(
    controller: &Controller,
    (method, path): (&str, &str),
    token: Option<&str>,
    (media_type, body): (&str, &str),
) -> (u16, String, String) {
    block_on(async {
        let method = Method::from_bytes(method.as_bytes()).unwrap();
        let url = format!("{}{path}", controller.url());
        let mut request = reqwest::Client::new().request(method, url);
        if let Some(token) = token {
            request = request.header("Authorization", token);
        }
        let request = request.header("Content-Type", media_type).body(body.to_owned());
        let answer = request.send().await.unwrap();
        let kind = answer.headers().get("Content-Type").map(|kind| kind.to_str().unwrap());
        let kind = kind.unwrap_or_default().to_owned();
        (answer.status().as_u16(), kind, answer.text().await.unwrap())
    })
}

fn post_application(controller: &Controller, yaml: &str) -> (u16, String) {
    let head = "Content-Disposition: form-data; name=\"application\"; filename=\"a.yaml\"";
    let body = format!("--b\r\n{head}\r\n\r\n{yaml}\r\n--b--\r\n");
    let route = ("POST", "/api/v3/application/yaml");
    let form = ("multipart/form-data; boundary=b", body.as_str());
    let (status, _, answer) = ask(controller, route, Some(TOKEN), form);
    (status, answer)
}

/// The body as recorded: stacks were cut there.
fn unstacked(status: u16, body: &str) -> String {
    let mut value: Value = serde_json::from_str(body).unwrap();
    let stack = value.as_object_mut().unwrap().shift_remove("stack");
    assert_eq!(stack.is_some(), status == 500, "{body}");
    value.to_string()
}

#[test]
fn registries_are_answered_line_by_line_as_recorded() {
    let controller = Controller::start();
    let (mut asked, recorded) = (0, REGISTRIES.split("\n### ").skip(1));
    for exchange in recorded {
        let mut lines = exchange.lines();
        let mut request = lines.next().unwrap().splitn(3, ' ');
        let route = (request.next().unwrap(), request.next().unwrap());
        let body = request.next().unwrap_or_default();
        let (status, kind) = lines.next().unwrap().split_once(' ').unwrap();
        // The one with a wrong token does not say so.
        let token = if status == "401" { "wrong" } else { TOKEN };
        let answer = ask(&controller, route, Some(token), (JSON, body));
        let wanted = (status.parse().unwrap(), kind.to_owned(), lines.next().unwrap_or_default());
        assert_eq!((answer.0, answer.1, answer.2.as_str()), wanted, "{exchange}");
        asked += 1;
    }
    assert_eq!(asked, 17);
}

#[test]
fn applications_are_answered_as_recorded_and_keep_their_rows() {
    let controller = Controller::start();
    let mut creations =
        REGISTRIES.lines().filter_map(|line| line.strip_prefix("### POST /api/v3/registries "));
    let gcr = creations.find(|body| body.contains("gcr.io")).unwrap();
    let made = ask(&controller, ("POST", "/api/v3/registries"), Some(TOKEN), (JSON, gcr));
    assert_eq!(made.2, r#"{"id":3}"#);
    let mut asked = 0;
    for exchange in APPLICATIONS.split("### POST /api/v3/application/yaml").skip(1) {
        let (request, answer) = exchange.split_once("--- answer\n").unwrap();
        let yaml = request.split_once('\n').unwrap().1;
        let mut wanted = answer.lines();
        let status: u16 = wanted.next().unwrap().parse().unwrap();
        let (found, body) = post_application(&controller, yaml);
        assert_eq!(found, status, "{yaml}{body}");
        assert_eq!(unstacked(found, &body), wanted.next().unwrap(), "{yaml}");
        asked += 1;
    }
    assert_eq!(asked, 8);
    let recorded = APPLICATIONS.split_once("(in use)\n").unwrap().1.lines().next().unwrap();
    let route = ("DELETE", "/api/v3/registries/3");
    let (status, _, body) = ask(&controller, route, Some(TOKEN), (JSON, ""));
    assert_eq!((status, unstacked(status, &body).as_str()), (500, recorded));
}

#[test]
fn tokens_and_rows_are_their_owners_and_trouble_comes_as_told() {
    let controller = Controller::start();
    let list = ("GET", "/api/v3/registries");
    let (status, _, body) = ask(&controller, list, None, (JSON, ""));
    assert_eq!(status, 500);
    assert!(unstacked(status, &body).starts_with(r#"{"name":"Error""#), "{body}");
    for (password, wanted) in [(PASSWORD, 200), ("wrong", 401)] {
        let body = serde_json::json!({"email": EMAIL, "password": password}).to_string();
        let route = ("POST", "/api/v3/user/login");
        let (status, _, body) = ask(&controller, route, None, (JSON, &body));
        assert_eq!((status, body.contains(TOKEN)), (wanted, wanted == 200), "{body}");
    }
    let (public, hidden) =
        (controller.add_foreign("a.example", true), controller.add_foreign("b.example", false));
    let (_, _, seen) = ask(&controller, list, Some(TOKEN), (JSON, ""));
    assert!(seen.contains("a.example") && !seen.contains("b.example"), "{seen}");
    for id in [public, hidden] {
        let path = format!("/api/v3/registries/{id}");
        let before = controller.rows();
        let change = r#"{"username":"other"}"#;
        assert_eq!(ask(&controller, ("PATCH", &path), Some(TOKEN), (JSON, change)).0, 204);
        assert_eq!(ask(&controller, ("DELETE", &path), Some(TOKEN), (JSON, "")).0, 404);
        assert_eq!(controller.rows(), before);
    }
    for (trouble, status, kind) in [
        (Trouble::Status(503), 503, "application/json; charset=utf-8"),
        (Trouble::Html(200), 200, "text/html; charset=utf-8"),
        (Trouble::Expired, 401, "application/json; charset=utf-8"),
    ] {
        controller.fail_after(1, trouble);
        assert_eq!(ask(&controller, list, Some(TOKEN), (JSON, "")).0, 200);
        for _ in 0..2 {
            let answer = ask(&controller, list, Some(TOKEN), (JSON, ""));
            assert_eq!((answer.0, answer.1.as_str()), (status, kind), "{trouble:?}");
        }
    }
    controller.recover();
    controller.take_received();
    assert_eq!(ask(&controller, list, Some(TOKEN), (JSON, "")).0, 200);
    let received = controller.take_received();
    assert_eq!((received.len(), received[0].authorization.as_str()), (1, TOKEN));
}
