//! The resource `Export` on a real API server: its schema, how it is stored, and how it is watched.

mod schedule_commands;
mod schedule_schema;
mod schedules;
mod schema;
mod store;
mod watch;

use jiff::Timestamp;
use outhaul::cluster::Live;
use outhaul::cluster::record::{
    Bytes, ChartFrom, ChosenNames, Condition, ConditionStatus, Door, Export, ExportOptions,
    ExportResult, ExportSpec, ExportStatus, Findings, Holder, Jobs, Outcome, Phase, Planned,
    PlannedAction, Progress, RequestedBy, ResultChart, ResultImage, Scheduled, SecretsPolicy, Step,
};

use super::live::options;
use crate::support::cluster::cluster_with_exports;
use crate::support::objects::Namespace;

const DIGEST: &str = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

async fn live() -> Live {
    Live::connect(&options(cluster_with_exports().kubeconfig("admin"))).await.unwrap()
}

fn namespace() -> Namespace<'static> {
    cluster_with_exports().namespace("exports")
}

fn export(namespace: &Namespace<'_>, name: &str) -> Export {
    Export::draft(namespace.name(), name, ExportSpec::new("shop", "backup"))
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_780_000_000 + second).unwrap()
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn texts<const N: usize>(texts: [&str; N]) -> Vec<String> {
    texts.map(str::to_owned).to_vec()
}

/// A spec in which nothing has its default that may have another value.
fn whole_spec() -> ExportSpec {
    ExportSpec {
        app: "shop".to_owned(),
        destination: "backup.eu".to_owned(),
        namespace: text("team"),
        service_account_name: text("exporter"),
        requested_by: Some(RequestedBy {
            user: "alice@example.com".to_owned(),
            groups: texts(["team-a", "system:authenticated"]),
            via: Some(Door::Native),
            request_id: text("7c3f"),
        }),
        selector: text("app in (shop, cart),!test"),
        all: false,
        secrets: SecretsPolicy::Encrypt,
        age_recipients: Vec::new(),
        names: ChosenNames {
            chart_name: text("shop-chart"),
            chart_version: text("1.4.0"),
            image_name: text("team/shop-image"),
            image_tag: text("blue"),
        },
        options: ExportOptions {
            chart_from: ChartFrom::Release,
            platforms: texts(["linux/amd64", "linux/arm64/v8"]),
            exclude: texts(["ConfigMap/web", "sts/cache"]),
            keep_images: texts(["docker.io/*"]),
            include_crds: true,
            rewrite_namespace: true,
            adopt: true,
            allow_oversize: true,
            allow_differences: true,
            skip_unreadable: true,
            use_pull_secrets: true,
            jobs: Jobs::Hook,
            wait_rollout: text("10m"),
            fail_on: texts(["error", "HOST_PATH"]),
            accept: texts(["IMAGE_DRIFT"]),
            attach_report: false,
        },
        epinio: true,
        scheduled: Some(Scheduled {
            name: "nightly".to_owned(),
            due: Timestamp::UNIX_EPOCH,
            even_if_unchanged: true,
        }),
    }
}

/// A status in which everything is set.
fn whole_status() -> ExportStatus {
    let digest = || DIGEST.to_owned();
    let condition = |kind: &str, status| Condition {
        kind: kind.to_owned(),
        status,
        reason: "Marked".to_owned(),
        message: "a door of the server has checked it".to_owned(),
        last_transition_time: at(1),
    };
    ExportStatus {
        observed_generation: Some(1),
        phase: Some(Phase::Succeeded),
        step: Some(Step::Checking),
        reason: text("Done"),
        message: text("exported"),
        hint: text("none"),
        exit_code: Some(130),
        attempts: 2,
        holder: Some(Holder { identity: "outhaul-0_1234abcd".to_owned(), since: at(2) }),
        queued_at: Some(at(3)),
        started_at: Some(at(4)),
        finished_at: Some(at(5)),
        joined_to: text("other"),
        planned: Some(Planned {
            version: "2026.1126.12500".to_owned(),
            digest: digest(),
            content: digest(),
            action: PlannedAction::Push,
            at: at(6),
        }),
        progress: Some(Progress {
            sequence: 7,
            bytes_done: 1 << 40,
            bytes_total: i64::MAX.unsigned_abs(),
            blobs_done: 1,
            blobs_total: 3,
            images_done: 1,
            images_total: 2,
            at: at(7),
        }),
        result: Some(ExportResult {
            status: Outcome::Restored,
            chart: ResultChart {
                repository: "registry.example.com/team/shop-chart".to_owned(),
                version: "2026.1126.12500".to_owned(),
                digest: digest(),
                content: digest(),
            },
            images: vec![ResultImage {
                key: "web".to_owned(),
                repository: "registry.example.com/team/shop-image".to_owned(),
                digest: digest(),
                kept: true,
            }],
            more_images: 3,
            bytes: Bytes { copied: 1, mounted: 2, present: 3 },
            elapsed_ms: 1234,
            findings: Findings {
                error: 1,
                warning: 2,
                info: 3,
                codes: texts(["REFERENCE_MISSING", "HOST_PATH"]),
            },
            install: text("helm install shop oci://registry.example.com/team/shop-chart"),
            report: Some(digest()),
        }),
        conditions: vec![
            condition("Accepted", ConditionStatus::True),
            condition("Complete", ConditionStatus::False),
            condition("Notified", ConditionStatus::Unknown),
        ],
    }
}
