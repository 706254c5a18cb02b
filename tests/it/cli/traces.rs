//! Spans for a collector.

use crate::support::cluster::cluster;
use crate::support::outhaul::Outhaul;
use crate::support::receiver::Receiver;
use crate::support::server::Server;

#[test]
fn requests_are_spans_of_a_collector() {
    let collector = Receiver::start(&[]);
    let outhaul = Outhaul::new()
        .kubeconfig(cluster().kubeconfig("nobody"))
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url(""))
        .env("OTEL_BSP_SCHEDULE_DELAY", "100");
    let server = Server::start(outhaul, &[]);
    server.get("/v1/namespaces/default/apps");
    let sent = server.running().wait_for("a span", |_, _| collector.received().into_iter().next());
    assert_eq!((sent.method.as_str(), sent.path.as_str()), ("POST", "/v1/traces"));
    assert_eq!(sent.headers["content-type"], "application/x-protobuf");
    // Protobuf has texts as they are.
    let text = String::from_utf8_lossy(&sent.body);
    for words in ["outhaul", "request", "/v1/namespaces/{ns}/apps"] {
        assert!(text.contains(words), "{words}: {text}");
    }
}
