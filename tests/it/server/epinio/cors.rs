//! Pages of another origin.

use reqwest::Method;

use super::{refused, site};

const HEADERS: [(&str, &str); 5] = [
    ("access-control-allow-origin", "https://ui.example.com"),
    ("access-control-allow-credentials", "true"),
    ("access-control-allow-methods", "POST, PUT, PATCH, GET, OPTIONS, DELETE"),
    ("access-control-allow-headers", "Authorization,x-api-csrf,content-type,file-size"),
    ("vary", "Origin"),
];

#[test]
fn pages_of_the_origin_given_may_call_epinios_api_and_no_other() {
    let server = site().0.serve(&["--epinio-allow-origin", "https://ui.example.com/"]);
    let asked = [("Origin", "https://ui.example.com"), ("Access-Control-Request-Method", "POST")];
    for path in
        ["/api/v1/me", "/api/v1/none", "/api/v1/namespaces/a/applications/b/export", "/ready"]
    {
        let answer = server.send(Method::OPTIONS, path, &asked, "");
        assert_eq!((answer.status, answer.text.as_str()), (204, ""), "{path}: {answer:?}");
        for (name, value) in HEADERS {
            assert_eq!(answer.header(name), value, "{path}");
        }
    }
    // Refusals have them as well: else the page would not be told what it was refused.
    let refusal = server.get("/api/v1/me");
    assert_eq!(refused(&refusal, 401), "missing credentials");
    let unknown = server.get("/wapi/v1/none");
    assert_eq!(refused(&unknown, 404), "route '/wapi/v1/none' does not exist");
    for (name, value) in HEADERS {
        assert_eq!((refusal.header(name), unknown.header(name)), (value, value));
    }
    for path in ["/v1/destinations", "/readyz", "/none"] {
        let answer = server.send(Method::OPTIONS, path, &asked, "");
        assert!([404, 405, 401].contains(&answer.status), "{path}: {answer:?}");
        assert_eq!(answer.header("access-control-allow-origin"), "", "{path}");
    }
}

#[test]
fn without_an_origin_no_page_may() {
    let (_, server) = site();
    let asked = [("Origin", "https://ui.example.com")];
    let answer = server.send(Method::OPTIONS, "/api/v1/me", &asked, "");
    assert_eq!(refused(&answer, 405), "Method not allowed");
    assert_eq!(answer.header("access-control-allow-origin"), "");
}
