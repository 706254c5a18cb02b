//! `outhaul registry … --controller`: rows of ioFog's Controller.

use serde_json::Value;

use crate::support::controller::{Controller, EMAIL, PASSWORD, TOKEN, Trouble};
use crate::support::outhaul::Outhaul;
use crate::support::output::Output;

/// A key of Google, as `cat key.json` gives it.
const KEY: &str = "{\n  \"type\": \"service_account\",\n  \"private_key\": \"-----BEGIN PRIVATE KEY-----\\ncanary+/=\\n-----END PRIVATE KEY-----\\n\",\n  \"client_email\": \"a@b.iam.gserviceaccount.com\"\n}";

/// Who has the token, and where the Controller is.
fn at(controller: &Controller) -> Outhaul {
    Outhaul::new()
        .env("OUTHAUL_CONTROLLER", controller.url())
        .env("OUTHAUL_CONTROLLER_TOKEN", TOKEN)
}

fn registry(controller: &Controller, args: &[&str]) -> Output {
    at(controller).run(&[&["registry"], args].concat())
}

fn create(controller: &Controller, args: &[&str], password: &str) -> Output {
    let args = [&["registry", "create", "--apply", "controller"], args].concat();
    at(controller).run_with(&args, password.as_bytes())
}

const GCR: [&str; 7] =
    ["--url", "gcr.io", "--username", "_json_key", "--password-stdin", "--email", EMAIL];

fn seed(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/systems/seeds");
    std::fs::read_to_string(format!("{folder}/{name}")).unwrap()
}

#[test]
fn a_row_is_made_shown_changed_and_removed_in_the_words_of_edgectl() {
    let controller = Controller::start();
    let fresh = registry(&controller, &["list"]).ok();
    assert_eq!(fresh.stdout, seed("iofog-list.json"));
    assert_eq!(fresh.stderr, "");

    let made = create(&controller, &GCR, &format!("{KEY}\n")).ok();
    let table =
        seed("iofog-table.txt").replace("s3g9gxfxpixcelledgeproject1@api.edgeworx.io", EMAIL);
    let squeezed = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(squeezed(&made.stdout), squeezed(&table));
    let stored = controller.rows().pop().unwrap();
    assert_eq!((stored.id, stored.password.as_str(), stored.is_public), (3, KEY, false));

    let json =
        create(&controller, &["--url", "a.example:5000", "--public", "--email", EMAIL, "-j"], "");
    let json = json.ok().json();
    assert_eq!((&json["id"], &json["isPublic"]), (&Value::from(4), &Value::from(true)));
    let public = controller.rows().pop().unwrap();
    assert_eq!((public.username.as_str(), public.password.as_str()), ("unused", "unused"));

    let shown = registry(&controller, &["show", "3", "-j"]).ok();
    assert_eq!(shown.json()["username"], "_json_key");
    let lines = registry(&controller, &["show", "gcr.io"]).ok();
    assert!(lines.stdout.contains("email"), "{lines:?}");

    let url = "https://b.example";
    registry(&controller, &["update", "3", "--url", url, "--username", "bob", "--public"]).ok();
    let changed = &controller.rows()[2];
    assert_eq!((changed.url.as_str(), changed.is_public), (url, true));
    assert_eq!((changed.username.as_str(), changed.password.as_str()), ("bob", KEY));

    let removed = registry(&controller, &["delete", "4"]).ok();
    assert!(removed.stdout.starts_with("removed registry 4 (a.example:5000) of the Controller"));
    assert_eq!(controller.rows().len(), 3);
    for output in [made, shown, lines, removed] {
        assert!(!output.mentions("canary"), "{output:?}");
    }
    assert!(controller.take_received().iter().all(|request| request.authorization == TOKEN));
}

#[test]
fn the_rows_of_iofog_itself_are_left_alone_before_anything_is_asked() {
    let controller = Controller::start();
    for id in ["1", "2", "remote", "local"] {
        for args in [&["delete", id][..], &["update", id, "--username", "a"]] {
            let refused = registry(&controller, args).exits(2);
            assert!(refused.stderr.contains("ioFog's own"), "{refused:?}");
        }
    }
    assert!(controller.take_received().is_empty());
}

#[test]
fn flags_about_another_place_are_stronger_than_the_variable_and_refused_beside_the_flag() {
    let controller = Controller::start();
    let url = controller.url();
    let flags = [
        ["-n", "epinio"],
        ["--system-namespace", "epinio"],
        ["--eda-namespace", "eda-system"],
        ["--destinations", "none.yaml"],
    ];
    for flag in flags {
        for command in [&["delete", "3"][..], &["list"], &["show", "3"]] {
            let args = [command, &flag].concat();
            // There is neither a cluster nor such a file.
            let elsewhere = registry(&controller, &args);
            assert!(elsewhere.stderr.starts_with("error: "), "{elsewhere:?}");
            let both = [&args[..], &["--controller", url]].concat();
            let refused = registry(&controller, &both).exits(2);
            let says = format!("`{}` does not go with `--controller`", flag[0]);
            assert!(refused.stderr.contains(&says), "{refused:?}");
        }
        let made = create(&controller, &[&GCR[..], &flag].concat(), KEY).exits(2);
        assert!(made.stderr.contains("does not go with `--apply controller`"), "{made:?}");
    }
    let mirror = ["update", "hub", "--mirror", "m.example"];
    for flag in [["--controller", url], ["--destinations", "none.yaml"]] {
        let refused = registry(&controller, &[&mirror[..], &flag].concat()).exits(2);
        assert!(refused.stderr.contains(&format!("`{}` does not go with", flag[0])), "{refused:?}");
    }
    assert!(controller.take_received().is_empty());
    // What the environment says of a cluster names no place.
    let args = ["registry", "list"];
    at(&controller).env("OUTHAUL_SYSTEM_NAMESPACE", "epinio").run(&args).ok();
}

#[test]
fn what_the_controller_would_refuse_or_change_is_refused_here() {
    let controller = Controller::start();
    let private = ["--url", "a.example", "--username", "u", "--password-stdin"];
    let with = |further: &[&'static str]| [&private[..], further].concat();
    for (args, password, says) in [
        (with(&[]), "p", "Required field 'email' is missing"),
        (with(&["--email", "nomail"]), "p", "Invalid format for field 'email'"),
        (with(&["--email", "a@b.c"]), "p", "Invalid format for field 'email'"),
        (with(&["--email", EMAIL]), "", "needs a password"),
        (with(&["--email", EMAIL]), "can{{ary }}", "`password` has `{{`"),
        (with(&["--email", EMAIL, "--requires-cert"]), "p", "\"certificate\" is required"),
        (with(&["--email", EMAIL, "--id", "3"]), "p", "the Controller gives the id"),
        (with(&["--email", EMAIL, "--format", "eda"]), "p", "`--format` does not go with"),
        (with(&["--email", EMAIL, "--project", "p"]), "p", "`--project` is of Edgeworx Cloud"),
    ] {
        let refused = create(&controller, &args, password).exits(2);
        assert!(refused.stderr.contains(says), "{says}: {refused:?}");
        assert!(refused.stderr.contains("hint: ") && !refused.mentions("can{{ary"), "{refused:?}");
    }
    registry(&controller, &["update", "3"]).exits(2);
    registry(&controller, &["update", "3", "--mirror", "m", "--username", "u"]).exits(2);
    assert!(controller.take_received().is_empty());
}

#[test]
fn rows_of_others_and_rows_in_use_are_said_to_be() {
    let controller = Controller::start();
    let public = controller.add_foreign("a.example", true).to_string();
    let hidden = controller.add_foreign("b.example", false).to_string();
    let before = controller.rows();
    let unchanged = registry(&controller, &["update", &public, "--username", "ann"]).exits(8);
    assert!(unchanged.stderr.contains("did not change (username): it is not yours"));
    let args = ["registry", "update", &public, "--password-stdin"];
    let unseen = at(&controller).run_with(&args, b"canary").ok();
    assert!(unseen.stderr.contains("whether it changed is not known"), "{unseen:?}");
    registry(&controller, &["delete", &public]).exits(6);
    for args in [&["delete", &*hidden][..], &["update", &hidden, "--username", "a"]] {
        let missing = registry(&controller, args).exits(6);
        assert!(missing.stderr.contains(&format!("has no registry {hidden} of yours")));
    }
    assert_eq!(controller.rows(), before);

    create(&controller, &GCR, KEY).ok();
    controller.use_row(5);
    let used = registry(&controller, &["delete", "5"]).exits(12);
    assert!(used.stderr.contains("is in use") && used.stderr.contains("hint: "), "{used:?}");
    assert!(!used.mentions("SQLITE"), "{used:?}");
}

#[test]
fn every_refusal_is_told_with_what_to_do_and_its_exit_code() {
    let controller = Controller::start();
    for (trouble, code, says) in [
        (Trouble::Expired, 7, "refused the token: token expired"),
        (Trouble::Status(401), 7, "refused the token"),
        (Trouble::Status(403), 8, "denied it"),
        (Trouble::Status(404), 9, "no answer of a Controller"),
        (Trouble::Status(409), 12, "conflicts"),
        (Trouble::Status(500), 9, "failed (HTTP 500): as it was told"),
        (Trouble::Status(503), 9, "not available now (HTTP 503)"),
        (Trouble::Html(200), 9, "answered HTTP 200 with text/html"),
        (Trouble::Html(502), 9, "not available now (HTTP 502)"),
    ] {
        controller.fail_after(0, trouble);
        for output in [create(&controller, &GCR, KEY), registry(&controller, &["list"])] {
            let refused = output.exits(code);
            assert!(refused.stderr.contains(says), "{trouble:?}: {refused:?}");
            assert!(refused.stderr.contains("hint: "), "{trouble:?}: {refused:?}");
            assert!(refused.stdout.is_empty() && !refused.mentions("canary"), "{refused:?}");
        }
    }
    assert_eq!(controller.rows().len(), 2);
    let url = controller.url().to_owned();
    drop(controller);
    let nobody = Outhaul::new().env("OUTHAUL_CONTROLLER_TOKEN", TOKEN);
    let gone = nobody.run(&["registry", "list", "--controller", &url]).exits(9);
    assert!(gone.stderr.contains("hint: check the address"), "{gone:?}");
    let none = Outhaul::new().run(&["registry", "list", "--controller", &url]).exits(2);
    assert!(none.stderr.contains("there is no access token"), "{none:?}");
}

#[test]
fn a_token_that_expires_midway_is_renewed_by_a_login_and_told_without() {
    let controller = Controller::start();
    create(&controller, &GCR, KEY).ok();
    // The row is read, and the change finds the token expired.
    controller.fail_after(1, Trouble::Expired);
    let told = registry(&controller, &["update", "3", "--username", "bob"]).exits(7);
    assert!(told.stderr.contains("token expired") && told.stderr.contains("hint: tokens expire"));
    assert_eq!(controller.rows()[2].username, "_json_key");

    let outhaul = Outhaul::new();
    let password = outhaul.write("password", format!("{PASSWORD}\n"));
    let wrong = outhaul.write("wrong", "canary-wrong");
    let login = |file: &std::path::Path, further: &[&str]| {
        let who = ["--controller", controller.url(), "--controller-email", EMAIL];
        let file = ["--controller-password-file", file.to_str().unwrap()];
        outhaul.run(&[&["registry"], further, &who, &file].concat())
    };
    // Logged in, the row is read, and of the change one answer is that the token has expired.
    controller.expire_once_after(2);
    login(&password, &["update", "3", "--username", "bob"]).ok();
    assert_eq!(controller.rows()[2].username, "bob");
    let received = controller.take_received();
    assert_eq!(received.iter().filter(|got| got.path.ends_with("/login")).count(), 2);

    let refused = login(&wrong, &["list"]).exits(7);
    assert!(refused.stderr.contains("refused the login: Invalid credentials"), "{refused:?}");
    assert!(!refused.mentions("canary"), "{refused:?}");
}
