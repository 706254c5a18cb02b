//! Completion of names, by the functions that a real shell runs.

use std::process::Command;
use std::time::{Duration, Instant};

use super::http::{ALL, Door};
use super::site::{SYSTEM, site};
use crate::support::output::run;

/// What bash offers at the end of a line, in an environment.
fn offered(line: &str, env: &[(&str, &str)]) -> Vec<String> {
    const SCRIPT: &str = r#"
source <("$OUTHAUL" completions bash)
outhaul() { "$OUTHAUL" "$@"; }
COMP_LINE=$LINE COMP_POINT=${#LINE}
read -ra COMP_WORDS <<< "$LINE"
[[ $LINE == *' ' ]] && COMP_WORDS+=("")
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
complete -p outhaul | grep -q -- '-F _outhaul_names ' || exit 9
_outhaul_names outhaul "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\n' "${COMPREPLY[@]}"
"#;
    let mut bash = Command::new("bash");
    bash.args(["-c", SCRIPT]).env_clear().env("PATH", std::env::var_os("PATH").unwrap());
    bash.env("OUTHAUL", env!("CARGO_BIN_EXE_outhaul")).env("LINE", line).envs(env.iter().copied());
    let output = run(bash, b"").ok();
    assert_eq!(output.stderr, "", "nobody wants to read that");
    output.stdout.lines().map(str::to_owned).collect()
}

#[test]
fn names_of_the_cluster_and_of_the_server_are_completed() {
    let door = Door::open(&ALL);
    let namespace = door.shop.namespace.name();
    door.shop.ask("first", &serde_json::json!({"destination": "nowhere"}));
    let kubeconfig = site().0.cluster.kubeconfig("admin");
    let patience = ("OUTHAUL_COMPLETION_TIMEOUT", "30s");
    let here = [
        patience,
        ("KUBECONFIG", kubeconfig.to_str().unwrap()),
        ("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM),
    ];
    let token = door.exporter.strip_prefix("Bearer ").unwrap();
    let there = [patience, ("OUTHAUL_TOKEN", token)];
    let server = format!(" --server {}", door.server.url());
    for (env, at) in [(&here[..], ""), (&there[..], server.as_str())] {
        let offered = |line: String| offered(&line, env);
        assert_eq!(offered(format!("outhaul app show{at} -n {namespace} sh")), ["shop"]);
        assert_eq!(offered(format!("outhaul app export{at} -n {namespace} ")), ["shop"]);
        assert_eq!(offered(format!("outhaul export show{at} -n {namespace} fi")), ["first"]);
        let line = format!("outhaul app export{at} shop -n {namespace} -r {namespace}");
        assert!(offered(line).contains(&namespace.to_owned()), "{at}");
    }
    let namespaces = offered(&format!("outhaul app list -n {namespace}"), &here);
    assert!(namespaces.contains(&namespace.to_owned()), "{namespaces:?}");
    // What the static script knows is left as it is.
    assert!(offered("outhaul app export --sec", &here).contains(&"--secrets".to_owned()));
    let policies = offered("outhaul app export --secrets ", &here);
    assert!(policies.contains(&"reference".to_owned()), "{policies:?}");
}

#[test]
fn who_types_is_not_kept_waiting_and_told_nothing_of_failures() {
    // Takes connections and never says a word.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    let env = [("OUTHAUL_SERVER", url.as_str()), ("OUTHAUL_TOKEN", "t")];
    let started = Instant::now();
    assert_eq!(offered("outhaul app show -n shop s", &env), [""]);
    assert!(started.elapsed() < Duration::from_secs(30), "{:?}", started.elapsed());
    for env in [
        &[][..],
        &[("KUBECONFIG", "/nonexistent")],
        &[("OUTHAUL_SERVER", "http://outhaul.example.com"), ("OUTHAUL_TOKEN", "t")],
    ] {
        assert_eq!(offered("outhaul app show -n shop s", env), [""]);
    }
}
