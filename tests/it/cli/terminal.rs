//! On a terminal: progress that moves, and nothing that only shows there breaks.

use std::fs::File;
use std::io::Read;
use std::process::{Command, Stdio};

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Asking the log for colours without the feature for them panicked, and only on a terminal.
#[test]
fn the_log_does_not_panic_on_a_terminal() {
    let (code, text) = on_a_terminal(&["-vv", "layout", "serve", "/proc/none"]);
    assert_eq!(code, 13, "{text}");
    assert!(text.contains("error: ") && !text.contains("panicked"), "{text}");
}

#[test]
fn a_copy_draws_its_progress_and_cleans_it_up() {
    let registry = crate::support::registry::Registry::plain().start();
    crate::support::images::Image::new(5, 4, 3 << 20).push(&registry.target(), "a", "1");
    let (source, target) =
        (format!("{}/a:1", registry.address()), format!("{}/b:1", registry.address()));
    let (code, text) = on_a_terminal(&["copy", &source, &target]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("layers, "), "{text}");
    assert!(text.contains("/b@sha256:"), "{text}");
}

/// Runs the binary with all its streams on a terminal of its own.
fn on_a_terminal(args: &[&str]) -> (i32, String) {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
    grantpt(&controller).unwrap();
    unlockpt(&controller).unwrap();
    let path = ptsname(&controller, Vec::new()).unwrap().into_string().unwrap();
    let terminal = || Stdio::from(File::options().read(true).write(true).open(&path).unwrap());
    let mut child = Command::new(env!("CARGO_BIN_EXE_outhaul"))
        .args(args)
        .env("TERM", "xterm")
        .stdin(terminal())
        .stdout(terminal())
        .stderr(terminal())
        .spawn()
        .unwrap();
    let mut text = Vec::new();
    // Reading ends with an error once the last process has closed the terminal.
    let _ = File::from(controller).read_to_end(&mut text);
    let code = child.wait().unwrap().code().unwrap();
    (code, String::from_utf8_lossy(&text).into_owned())
}
