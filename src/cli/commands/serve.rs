//! `outhaul serve`: the server, until a signal ends it.

use crate::cli::args::{Environment, EpinioUsers, ExecutorArg, Global, ServeArgs};
use crate::cli::{connect, interrupted};
use crate::error::Error;
use crate::server::auth::Served;
use crate::server::auth::epinio::Mode;
use crate::server::work::queue::Limits;
use crate::server::work::{Settings, Where};
use crate::server::{self, Config, Epinio, Tls, Upstream};

pub(crate) async fn run(args: &ServeArgs, global: &Global) -> Result<(), Error> {
    if global.destinations.is_some() {
        return Err(Error::Arguments {
            text: "`--destinations` does not go with `serve`".to_owned(),
            hint: "a server reads destinations from the cluster, at each request",
        });
    }
    server::serve(config(args, global), interrupted()).await
}

fn config(args: &ServeArgs, global: &Global) -> Config {
    let files = args.tls_cert.clone().zip(args.tls_key.clone());
    let tls = match files {
        Some((certificate, key)) => Some(Tls::Files { certificate, key }),
        None if args.tls_self_signed => Some(Tls::SelfSigned { names: args.tls_name.clone() }),
        None => None,
    };
    Config {
        listen: args.listen,
        tls,
        front_proxy_ca: args.front_proxy_ca.clone(),
        metrics_listen: args.metrics_listen,
        metrics_apps: args.metrics_apps,
        plain_http: args.plain_http,
        rate: args.rate,
        drain: args.drain,
        token_audiences: args.token_audience.clone(),
        namespaces: Served::new(args.namespaces.clone()),
        cluster: connect::client_options(global),
        exports: Settings {
            name: replica(),
            system_namespace: global.system_namespace.clone(),
            limits: Limits {
                workers: args.workers,
                per_destination: args.per_destination,
                waiting: args.queue,
            },
            keep: args.keep,
            drain: args.drain,
            longest: args.longest,
            local_sources: args.local_source.clone(),
            executor: match args.executor {
                ExecutorArg::InProcess => Where::InProcess,
                ExecutorArg::Job => Where::Jobs { template: args.job_template.clone() },
            },
        },
        epinio: epinio(args),
    }
}

fn epinio(args: &ServeArgs) -> Epinio {
    let upstream = args.epinio_upstream.clone();
    Epinio {
        users: match args.epinio_users {
            EpinioUsers::Auto => Mode::Auto,
            EpinioUsers::On => Mode::On,
            EpinioUsers::Off => Mode::Off,
        },
        version: args.epinio_version.clone(),
        shows_environment: args.epinio_environment == Environment::Show,
        allow_origin: args.epinio_allow_origin.clone(),
        upstream: upstream.map(|url| Upstream { url, ca: args.epinio_upstream_ca.clone() }),
    }
}

/// What people know this replica by: its pod, else its machine.
fn replica() -> String {
    let named = ["POD_NAME", "HOSTNAME"].into_iter().filter_map(|name| std::env::var(name).ok());
    named.into_iter().find(|name| !name.is_empty()).unwrap_or_else(|| "outhaul".to_owned())
}
