//! Front proxies, which say who the user is, by `outhaul serve` itself.

use reqwest::Method;

use crate::support::certs::Authority;
use crate::support::cluster::cluster;
use crate::support::objects::Namespace;
use crate::support::outhaul::Outhaul;
use crate::support::server::{Answer, Server};

const USER: &str = "X-Remote-User";
const GROUP: &str = "X-Remote-Group";

/// A server behind front proxies of `proxies`, and what they ask it for.
struct Behind {
    server: Server,
    proxies: Authority,
    namespace: Namespace<'static>,
}

impl Behind {
    fn start(name: &str, args: &[&str]) -> Self {
        let proxies = Authority::new("front proxies");
        let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("admin"));
        outhaul.write("proxies.crt", &proxies.pem);
        let own = Authority::new("server").loopback();
        outhaul.write("tls.crt", &own.certificate);
        outhaul.write("tls.key", &own.key);
        let args = [args, &["--front-proxy-ca", "proxies.crt"]].concat();
        let server = Server::start(outhaul, &args);
        Self { server, proxies, namespace: cluster().namespace(name) }
    }

    fn path(&self) -> String {
        format!("/v1/namespaces/{}/apps", self.namespace.name())
    }

    /// What a front proxy gets that says this.
    fn says(&self, headers: &[(&str, &str)]) -> Answer {
        let proxy = self.proxies.client("front-proxy");
        self.server.get_showing(&proxy, &self.path(), headers).unwrap()
    }
}

const FILES: [&str; 4] = ["--tls-cert", "tls.crt", "--tls-key", "tls.key"];

#[test]
fn a_front_proxy_says_who_the_user_is_and_nobody_else_does() {
    let behind = Behind::start("proxied", &FILES);
    let (server, path) = (&behind.server, behind.path());
    assert_eq!(behind.says(&[(USER, "viewer"), (GROUP, "readers")]).status, 200);
    assert_eq!(behind.says(&[(USER, "whoever"), (GROUP, "system:masters")]).status, 200);
    behind.says(&[(USER, "nobody")]).problem(403, "FORBIDDEN");
    // It goes before a token, and without a user there is only the token.
    behind.says(&[(USER, "nobody"), ("authorization", "Bearer x")]).problem(403, "FORBIDDEN");
    behind.says(&[("authorization", "Bearer x")]).problem(401, "UNAUTHENTICATED");

    for said in [
        &[][..],
        &[(USER, "viewer"), (USER, "admin")],
        &[(USER, "")],
        &[(USER, "system:anonymous"), (GROUP, "system:masters")],
        &[(GROUP, "system:masters")],
        &[(USER, "epinio:admin"), (GROUP, "system:masters")],
    ] {
        behind.says(said).problem(401, "UNAUTHENTICATED");
    }

    let headers = [(USER, "admin"), (GROUP, "system:masters")];
    server.send(Method::GET, &path, &headers, "").problem(401, "UNAUTHENTICATED");
    for stranger in [Authority::new("server"), Authority::new("front proxies")] {
        let identity = stranger.client("front-proxy");
        assert!(server.get_showing(&identity, &path, &headers).is_err());
    }
    // Of the right authority, but for a server.
    let identity = behind.proxies.loopback();
    assert!(server.get_showing(&identity, &path, &headers).is_err());
}

#[test]
fn a_new_authority_of_front_proxies_counts_and_the_old_one_no_longer() {
    let mut behind = Behind::start("renewed", &["--tls-self-signed"]);
    let told = behind.server.running().home().join("proxies.crt");
    let old = std::mem::replace(&mut behind.proxies, Authority::new("renewed"));
    std::fs::write(&told, "nothing").unwrap();
    behind.server.running().wait_for("the file refused", |_, stderr| {
        stderr.contains("the old certificate stays").then_some(())
    });
    let (path, headers) = (behind.path(), [(USER, "viewer"), (GROUP, "readers")]);
    let shows = |authority: &Authority| {
        behind.server.get_showing(&authority.client("front-proxy"), &path, &headers)
    };
    assert_eq!(shows(&old).unwrap().status, 200);
    std::fs::write(&told, &behind.proxies.pem).unwrap();
    behind.server.running().wait_for("the new authority", |_, _| {
        shows(&behind.proxies).ok().filter(|answer| answer.status == 200)
    });
    assert!(shows(&old).is_err());
}

/// Without an authority no certificate is asked for, so that none vouches for anybody.
#[test]
fn without_an_authority_headers_count_for_nothing() {
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("admin"));
    let server = Server::start(outhaul, &["--tls-self-signed"]);
    let identity = Authority::new("front proxies").client("front-proxy");
    let headers = [(USER, "admin"), (GROUP, "system:masters")];
    let answer = server.get_showing(&identity, "/v1/namespaces/default/apps", &headers).unwrap();
    answer.problem(401, "UNAUTHENTICATED");
}

#[test]
fn an_authority_that_cannot_be_used_is_refused_at_the_start() {
    let outhaul = Outhaul::new().kubeconfig(cluster().kubeconfig("nobody"));
    outhaul.write("empty.crt", "");
    outhaul.write("ca.crt", Authority::new("front proxies").pem);
    let serve = ["serve", "--listen", "127.0.0.1:0", "--front-proxy-ca"];
    let refused = |args: &[&str], exit| {
        let output = outhaul.run(&[&serve[..], args].concat()).exits(exit);
        assert!(output.stderr.contains("hint: "), "{output:?}");
    };
    refused(&["ca.crt"], 2); // without TLS
    refused(&["empty.crt", "--tls-self-signed"], 13);
    outhaul.run(&[&serve[..], &["nothing.crt", "--tls-self-signed"]].concat()).exits(13);
}
