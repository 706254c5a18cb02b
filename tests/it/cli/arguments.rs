//! Arguments that cannot be meant: refused at once, with what to do.

use crate::support::images::Image;
use crate::support::outhaul::Outhaul;
use crate::support::registry::Registry;

#[test]
fn an_archive_is_never_overwritten_and_a_compressed_one_not_made() {
    let outhaul = Outhaul::new();
    outhaul.write("old.tar", "precious");
    for path in ["old.tar", "new.tar.gz", "new.tgz"] {
        let args = ["app", "export", "shop", "--from", "none", "--to", path];
        let refused = outhaul.run(&args).exits(2);
        assert!(refused.stderr.contains("hint: "), "{refused:?}");
    }
    assert_eq!(std::fs::read(outhaul.home().join("old.tar")).unwrap(), b"precious");
}

#[test]
fn names_and_addresses_that_are_none_are_refused() {
    let outhaul = Outhaul::new();
    for args in [
        &["app", "show", "a b"][..],
        &["app", "show", "-n", "x", "-"],
        &["app", "export", "a", "--to", "x", "--pull-address", "https://bad/"],
        &["app", "export", "a", "--to", "x", "--pull-address", "Bad Host"],
        &["app", "export", "a", "--to", "x", "--platform", "linux"],
        &["registry", "create", "--url", "a.example", "--public", "--name", "Team_A"],
        &[
            "app",
            "export",
            "a",
            "--from",
            "-",
            "-r",
            "h:1/x",
            "--username",
            "u",
            "--password-stdin",
        ],
    ] {
        outhaul.run(args).exits(2);
    }
    assert!(!outhaul.home().join("x").exists());
}

#[test]
fn standard_input_is_not_shared() {
    let rows = "[{id: 3, url: '127.0.0.1:1', isPublic: true}]";
    let export = ["app", "export", "shop", "-n", "shop", "-r", "3", "--destinations", "-"];
    for further in [&["--from", "-"][..], &["--from", "none", "--chart-registry", "3"]] {
        let outhaul = Outhaul::new();
        let refused = outhaul.run_with(&[&export[..], further].concat(), rows.as_bytes()).exits(2);
        assert!(refused.stderr.contains("asked for more than once"), "{refused:?}");
        assert!(refused.stderr.contains("hint: give files"), "{refused:?}");
    }
}

/// Output that went nowhere was reported as success, and completions panicked.
#[test]
fn a_full_device_is_noticed_and_a_closed_pipe_is_none_of_our_business() {
    let run = |script: &str| {
        let mut command = std::process::Command::new("bash");
        let command = command.args(["-o", "pipefail", "-c", script]);
        let output = command.env("O", env!("CARGO_BIN_EXE_outhaul")).output().unwrap();
        (output.status.code().unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, stderr) = run("$O completions bash > /dev/full");
    assert_eq!(code, 13, "{stderr}");
    assert!(stderr.starts_with("error: standard output"), "{stderr}");
    assert_eq!(run("$O completions powershell | true"), (0, String::new()));
}

/// The roots of `--ca-file` were not used for the registry that images are read from.
#[test]
fn a_private_authority_holds_for_the_source_too() {
    let sources = Registry::plain().tls().start();
    Image::new(6, 1, 500).push(&sources.target(), "a", "1");
    let outhaul = Outhaul::new();
    let image = format!("{}/a:1", sources.address());
    outhaul.write(
        "pod.yaml",
        format!(
            "{{apiVersion: v1, kind: Pod, metadata: {{name: p}}, \
             spec: {{containers: [{{name: c, image: '{image}'}}]}}}}"
        ),
    );
    let args = ["app", "export", "p", "--from", "pod.yaml", "--to", "out"];
    let untrusted = outhaul.run(&args).exits(9);
    assert!(untrusted.stderr.contains("--ca-file"), "{untrusted:?}");
    let ca = sources.ca_file().to_str().unwrap();
    let done = outhaul.run(&[&args[..], &["--ca-file", ca]].concat()).ok();
    assert!(done.stdout.contains("to out, as "), "{done:?}");
}
