//! Certificates: from files that change, and made at the start.

use super::serve;
use crate::support::certs::{Authority, Identity};
use crate::support::cluster::cluster;
use crate::support::outhaul::Outhaul;
use crate::support::server::Server;

const FILES: [&str; 4] = ["--tls-cert", "tls.crt", "--tls-key", "tls.key"];

fn write(outhaul: &Outhaul, identity: &Identity) {
    outhaul.write("tls.crt", &identity.certificate);
    outhaul.write("tls.key", &identity.key);
}

#[test]
fn a_renewed_certificate_is_shown_and_a_broken_one_never() {
    let (old, new) = (Authority::new("old"), Authority::new("new"));
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("nobody"));
    write(&outhaul, &old.loopback());
    let home = outhaul.home().to_owned();
    let server = Server::start(outhaul, &FILES);
    assert_eq!(server.get_trusting(&old.pem, "/healthz").unwrap().status, 200);
    assert!(server.get_trusting(&new.pem, "/healthz").is_err());

    let renewed = new.loopback();
    std::fs::write(home.join("tls.crt"), &renewed.certificate).unwrap();
    server.running().wait_for("the pair refused", |_, stderr| {
        stderr.contains("the old certificate stays").then_some(())
    });
    assert_eq!(server.get_trusting(&old.pem, "/healthz").unwrap().status, 200);

    std::fs::write(home.join("tls.key"), &renewed.key).unwrap();
    server.running().wait_for("the pair taken", |_, _| {
        server.get_trusting(&new.pem, "/healthz").ok().filter(|answer| answer.status == 200)
    });
    assert!(server.get_trusting(&old.pem, "/healthz").is_err());
    assert!(!server.running().stderr().contains("PRIVATE KEY"));
}

#[test]
fn a_certificate_of_its_own_is_for_the_names_given_and_for_this_machine() {
    let server = serve("nobody", &["--tls-self-signed", "--tls-name", "exports.example"]);
    assert!(server.url().starts_with("https://127.0.0.1:"));
    assert_eq!(server.get("/healthz").status, 200);
    let stranger = Authority::new("stranger");
    assert!(server.get_trusting(&stranger.pem, "/healthz").is_err());
    assert!(server.running().stderr().contains("SHA-256 fingerprint"));
}

#[test]
fn what_cannot_be_served_is_refused_at_the_start() {
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("nobody"));
    let (one, other) = (Authority::new("one").loopback(), Authority::new("other").loopback());
    outhaul.write("tls.crt", &one.certificate);
    outhaul.write("tls.key", &other.key);
    outhaul.write("empty", "");
    let serve = |args: &[&str], exit| {
        let refused =
            outhaul.run(&[&["serve", "--listen", "0.0.0.0:0"], args].concat()).exits(exit);
        assert!(refused.stderr.contains("hint: "), "{refused:?}");
    };
    serve(&[], 2);
    serve(&["--tls-self-signed", "--tls-name", "ü"], 2);
    serve(&["--tls-cert", "tls.crt", "--tls-key", "tls.key"], 13);
    serve(&["--tls-cert", "empty", "--tls-key", "tls.key"], 13);
    serve(&["--tls-cert", "tls.crt", "--tls-key", "empty"], 13);
    outhaul.run(&["serve", "--tls-cert", "tls.crt"]).exits(2);
    outhaul.run(&["serve", "--tls-cert", "nothing", "--tls-key", "tls.key"]).exits(13);
}
