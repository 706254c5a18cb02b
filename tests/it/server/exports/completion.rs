//! Completion of names, by the functions that a real shell runs.

use std::process::Command;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::http::{ALL, Door};
use super::site::{API, MAY_SCHEDULE, SYSTEM, site};
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

/// The line that zsh makes of one at whose end Tab is pressed. With `autoloaded`, it finds the script in
/// its `$fpath`, as of a package, and is pressed Tab in for the first time.
fn zsh(line: &str, autoloaded: bool, env: &[(&str, &str)]) -> String {
    const SCRIPT: &str = r#"
zmodload zsh/zpty
mkdir "$DIR/functions" "$DIR/bin" && ln -s "$OUTHAUL" "$DIR/bin/outhaul"
outhaul=$DIR/functions/_outhaul; (( AUTOLOADED )) || outhaul=$DIR/outhaul.zsh
"$OUTHAUL" completions zsh > $outhaul
cat > "$DIR/.zshrc" <<'END'
path=($DIR/bin $path) fpath=($DIR/functions $fpath) PS1=
autoload -Uz compinit && compinit -u -D
(( AUTOLOADED )) || source $DIR/outhaul.zsh
seen() { print -r -- "$BUFFER" > $DIR/seen; exit }
zle -N seen && bindkey '^X' seen && print ready
END
export ZDOTDIR=$DIR
zpty shell zsh -d -i
zpty -r shell seen '*ready*'
zpty -w -n shell "$LINE"$'\t\x18'
while zpty -r shell seen; do done
cat "$DIR/seen"
"#;
    let dir = tempfile::tempdir().unwrap();
    let mut zsh = Command::new("zsh");
    zsh.args(["-f", "-c", SCRIPT]).env("AUTOLOADED", if autoloaded { "1" } else { "0" });
    stdout_of(zsh, line, &dir, env)
}

/// What fish offers at the end of a line.
fn fish(line: &str, env: &[(&str, &str)]) -> Vec<String> {
    const SCRIPT: &str = r#"
mkdir "$DIR/bin"; and ln -s "$OUTHAUL" "$DIR/bin/outhaul"
set -x PATH "$DIR/bin" $PATH
outhaul completions fish | source
cd "$DIR"; complete -C "$LINE"
"#;
    let dir = tempfile::tempdir().unwrap();
    let mut fish = Command::new("fish");
    fish.args(["--no-config", "-c", SCRIPT]);
    stdout_of(fish, line, &dir, env).lines().map(str::to_owned).collect()
}

fn stdout_of(mut shell: Command, line: &str, dir: &TempDir, env: &[(&str, &str)]) -> String {
    shell.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", dir.path());
    shell.env("TERM", "dumb").env("DIR", dir.path()).env("LINE", line);
    shell.env("OUTHAUL", env!("CARGO_BIN_EXE_outhaul")).envs(env.iter().copied());
    run(shell, b"").ok().stdout.trim_end().to_owned()
}

#[test]
#[ignore = "needs zsh and fish, which `make e2e` installs"]
fn zsh_and_fish_complete_names_at_the_first_time_and_as_values_of_options() {
    let door = Door::open(&ALL);
    let namespace = door.shop.namespace.name();
    door.shop.ask("first", &serde_json::json!({"destination": "nowhere"}));
    let kubeconfig = site().0.cluster.kubeconfig("admin");
    let env = [
        ("OUTHAUL_COMPLETION_TIMEOUT", "30s"),
        ("KUBECONFIG", kubeconfig.to_str().unwrap()),
        ("OUTHAUL_SYSTEM_NAMESPACE", SYSTEM),
    ];
    for (typed, whole) in [
        (format!("outhaul app show -n {namespace} sh"), "shop"),
        (format!("outhaul export show -n {namespace} fi"), "first"),
        (format!("outhaul export list -n {namespace} --app sh"), "shop"),
        ("outhaul app list -n kube-sys".to_owned(), "kube-system"),
        ("outhaul app export shop --sec".to_owned(), "--secrets"),
    ] {
        let (before, _) = typed.rsplit_once(' ').unwrap();
        for autoloaded in [true, false] {
            let line = zsh(&typed, autoloaded, &env);
            assert_eq!(
                line.trim_end_matches(['=', ' ']),
                format!("{before} {whole}"),
                "autoloaded: {autoloaded}"
            );
        }
        let offered = fish(&typed, &env);
        let names = offered.iter().map(|line| line.split('\t').next().unwrap());
        assert!(names.clone().any(|name| name == whole), "{typed}: {offered:?}");
    }
}

#[test]
fn names_of_the_cluster_and_of_the_server_are_completed() {
    let door = Door::open(&ALL);
    let namespace = door.shop.namespace.name();
    door.shop.ask("first", &serde_json::json!({"destination": "nowhere"}));
    door.shop.grant(&site().0, &[MAY_SCHEDULE]);
    let template =
        serde_json::json!({"app": "shop", "destination": namespace, "secrets": "reference"});
    let nightly = serde_json::json!({
        "apiVersion": API, "kind": "ExportSchedule", "metadata": {"name": "nightly"},
        "spec": {"schedule": "@daily", "serviceAccountName": "exporter", "template": template},
    });
    door.shop.namespace.apply(&nightly.to_string());
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
        assert_eq!(offered(format!("outhaul schedule run{at} -n {namespace} ni")), ["nightly"]);
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
