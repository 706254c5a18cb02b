use proptest::prelude::*;

use super::*;
use crate::app::Code;
use crate::chart::check::Fidelity;
use crate::cluster::record::{Door, ExportOptions, RequestedBy};
use crate::export::report::ChartReport;

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// Waits as we write them: in the largest unit that fits.
fn waits() -> impl Strategy<Value = Option<String>> {
    let seconds = prop_oneof![1..=86_400_u64, (1..=24_u64).prop_map(|hours| hours * 3600)];
    prop::option::of(seconds.prop_map(|seconds| duration(Duration::from_secs(seconds))))
}

prop_compose! {
    fn names_chosen()(
        chart_name in prop::option::of("[a-z]{1,8}"),
        chart_version in prop::option::of("1\\.[0-9]\\.[0-9]"),
        image_name in prop::option::of("[a-z]{1,8}"),
        image_tag in prop::option::of("[a-z0-9]{1,8}"),
    ) -> record::ChosenNames {
        record::ChosenNames { chart_name, chart_version, image_name, image_tag }
    }
}

prop_compose! {
    fn lists()(
        platforms in prop::collection::vec("linux/(amd64|arm64/v8)", 0..3),
        exclude in prop::collection::vec("[A-Za-z]{1,9}/[a-z0-9.-]{1,9}", 0..3),
        keep_images in prop::collection::vec("[a-z.]{1,9}/\\*", 0..3),
        fail_on in prop::collection::vec("error|warning|info|HOST_PATH|IMAGE_DRIFT", 0..3),
        accept in prop::collection::vec("HOST_PATH|IMAGE_DRIFT", 0..3),
    ) -> [Vec<String>; 5] {
        [platforms, exclude, keep_images, fail_on, accept]
    }
}

prop_compose! {
    /// Any spec that the schema of the resource lets pass.
    fn specs()(
        app in "[A-Za-z0-9]([A-Za-z0-9_.-]{0,8}[A-Za-z0-9])?",
        namespace in "[a-z]{1,8}",
        selection in prop_oneof![
            Just((None, false)),
            Just((None, true)),
            "[a-z]{1,4}=[a-z]{0,4}".prop_map(|selector| (Some(selector), false)),
        ],
        secrets in prop::sample::select(vec![
            record::SecretsPolicy::Reference,
            record::SecretsPolicy::Require,
            record::SecretsPolicy::Encrypt,
            record::SecretsPolicy::Include,
        ]),
        chart_from in prop::sample::select(vec![record::ChartFrom::Live, record::ChartFrom::Release]),
        jobs in prop::sample::select(vec![record::Jobs::Skip, record::Jobs::Hook]),
        names in names_chosen(),
        [platforms, exclude, keep_images, fail_on, accept] in lists(),
        flags in any::<[bool; 6]>(),
        wait_rollout in waits(),
    ) -> ExportSpec {
        let (selector, all) = selection;
        let [include_crds, rewrite_namespace, adopt, allow_oversize, allow_differences,
            skip_unreadable] = flags;
        ExportSpec {
            namespace: Some(namespace), selector, all, secrets, names,
            options: ExportOptions {
                chart_from, jobs, platforms, exclude, keep_images, fail_on, accept, include_crds,
                rewrite_namespace, adopt, allow_oversize, allow_differences, skip_unreadable,
                wait_rollout, ..ExportOptions::default()
            },
            ..ExportSpec::new(app, "backup")
        }
    }
}

proptest! {
    #[test]
    fn a_spec_is_a_request_and_the_request_is_that_spec(asked in specs()) {
        let request = request(&asked, "elsewhere").unwrap();
        prop_assert_eq!(spec(&request, "backup"), asked);
    }
}

#[test]
fn without_a_namespace_it_is_the_one_of_the_record() {
    let asked = ExportSpec::new("shop", "backup");
    assert_eq!(request(&asked, "team").unwrap().namespace.as_deref(), Some("team"));
    let elsewhere = ExportSpec { namespace: Some("other".to_owned()), ..asked };
    assert_eq!(request(&elsewhere, "team").unwrap().namespace.as_deref(), Some("other"));
}

#[test]
fn what_an_old_schema_let_pass_is_refused_by_field() {
    let with = |change: fn(&mut ExportSpec)| {
        let mut asked = ExportSpec::new("shop", "backup");
        change(&mut asked);
        request(&asked, "team").unwrap_err().to_string()
    };
    for (error, begins) in [
        (with(|of| of.age_recipients = vec!["age1x".into()]), "spec.ageRecipients: recipients"),
        (with(|of| (of.selector, of.all) = (Some("a".into()), true)), "spec.selector: give either"),
        (
            with(|of| of.options.exclude = vec!["web".into()]),
            "spec.exclude: `web` is not KIND/NAME",
        ),
        (with(|of| of.options.keep_images = vec!["a[".into()]), "spec.keepImages: "),
        (with(|of| of.options.platforms = vec!["linux".into()]), "spec.platforms: "),
        (with(|of| of.options.fail_on = vec!["fatal".into()]), "spec.failOn: `fatal` is neither"),
        (with(|of| of.options.accept = vec!["NOPE".into()]), "spec.accept: "),
        (
            with(|of| of.options.wait_rollout = Some("25h".into())),
            "spec.waitRollout: `25h` is no time",
        ),
        (with(|of| of.options.wait_rollout = Some("0s".into())), "spec.waitRollout: "),
        (with(|of| of.options.wait_rollout = Some(format!("{}h", u64::MAX))), "spec.waitRollout: "),
    ] {
        assert!(error.starts_with(begins), "{error}");
    }
}

#[test]
fn waits_are_written_short_and_never_shorter_than_they_are() {
    for (milliseconds, text) in
        [(90_000, "90s"), (600_000, "10m"), (7_200_000, "2h"), (1_500, "2s"), (1, "1s")]
    {
        assert_eq!(duration(Duration::from_millis(milliseconds)), text);
    }
}

#[test]
fn a_digest_is_the_same_for_all_who_ask_for_the_same() {
    let asked = ExportSpec::new("shop", "backup");
    let by = |user: &str| {
        let (user, via) = (user.to_owned(), Some(Door::Native));
        let requested_by = RequestedBy { user, groups: Vec::new(), via, request_id: None };
        ExportSpec { requested_by: Some(requested_by), ..asked.clone() }
    };
    let named = ExportSpec { namespace: Some("team".to_owned()), ..by("bob") };
    let same = [digest(&asked, "team"), digest(&by("alice"), "team"), digest(&named, "other")];
    assert!(same.iter().all(|one| *one == same[0]));
    let json = serde_json::to_value(&asked).unwrap();
    let stored: ExportSpec = serde_json::from_value(json).unwrap();
    assert_eq!(digest(&stored, "team"), same[0]);
    let mut adopting = asked.clone();
    adopting.options.adopt = true;
    let others = [
        digest(&asked, "other"),
        digest(&ExportSpec::new("shop", "else"), "team"),
        digest(&adopting, "team"),
        digest(&ExportSpec { service_account_name: Some("a".to_owned()), ..asked }, "team"),
    ];
    assert!(others.iter().all(|one| *one != same[0]));
}

fn report(images: usize, findings: Vec<Finding>) -> Report {
    let digest: Digest = DIGEST.parse().unwrap();
    let image = |number: usize| ImageReport {
        key: format!("image{number}"),
        written: "nginx".to_owned(),
        source: "docker.io/library/nginx:latest".to_owned(),
        repository: "registry.example.com/team/shop-image".to_owned(),
        digest: digest.clone(),
        tags: Vec::new(),
        platforms: Vec::new(),
        bytes: Bytes::default(),
        referrers: 0,
        kept: number == 1,
    };
    Report {
        status: Status::Exported,
        app: "team/shop".to_owned(),
        origin: "cluster".to_owned(),
        target: "backup".to_owned(),
        chart: ChartReport {
            repository: "registry.example.com/team/shop-chart".to_owned(),
            version: "2026.1126.12500".to_owned(),
            digest: digest.clone(),
            content: digest.clone(),
        },
        attached: Some(digest.clone()),
        images: (0..images).map(image).collect(),
        bytes: Bytes { copied: 1, mounted: 2, present: 3 },
        elapsed_ms: 5,
        requirements: Vec::new(),
        fidelity: Fidelity::default(),
        findings,
        install: Some("helm install shop".to_owned()),
        emitted: Vec::new(),
    }
}

#[test]
fn a_result_is_small_whatever_the_report() {
    let findings: Vec<_> = Code::ALL.iter().map(|code| Finding::new(*code, "seen")).collect();
    let all = findings.len();
    let large = result(&Report {
        install: Some("x".repeat(MAX_INSTALL + 1)),
        ..report(MAX_IMAGES + 3, [findings.clone(), findings].concat())
    });
    assert_eq!((large.images.len(), large.more_images), (MAX_IMAGES, 3));
    let of = &large.findings;
    assert_eq!((of.error + of.warning + of.info) as usize, 2 * all);
    assert_eq!(of.codes.len(), all.min(MAX_CODES));
    let severity = |code: &String| code.parse::<Code>().unwrap().severity();
    assert!(of.codes.is_sorted_by_key(|code| std::cmp::Reverse(severity(code))), "{:?}", of.codes);
    assert_eq!(large.install, None);
    assert!(serde_json::to_string(&large).unwrap().len() < 24 << 10);
}

#[test]
fn a_result_says_what_the_report_says() {
    let findings = vec![Finding::new(Code::HostPath, "seen"), Finding::new(Code::HostPath, "too")];
    let small = result(&report(2, findings));
    assert_eq!(
        serde_json::to_value(&small).unwrap(),
        json!({
            "status": "exported",
            "chart": {"repository": "registry.example.com/team/shop-chart",
                "version": "2026.1126.12500", "digest": DIGEST, "content": DIGEST},
            "images": [
                {"key": "image0", "repository": "registry.example.com/team/shop-image",
                    "digest": DIGEST, "kept": false},
                {"key": "image1", "repository": "registry.example.com/team/shop-image",
                    "digest": DIGEST, "kept": true},
            ],
            "moreImages": 0,
            "bytes": {"copied": 1, "mounted": 2, "present": 3},
            "elapsedMs": 5,
            "findings": {"error": 0, "warning": 2, "info": 0, "codes": ["HOST_PATH"]},
            "install": "helm install shop",
            "report": DIGEST,
        })
    );
}
