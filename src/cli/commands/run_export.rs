//! `outhaul run-export`: one attempt at an export of the server, in the pod of its Job.

use crate::cli::args::{Global, RunExportArgs};
use crate::cli::connect;
use crate::error::Error;
use crate::server::work::job::worker::{Order, run_export};

pub(crate) async fn run(args: RunExportArgs, global: &Global) -> Result<(), Error> {
    let order = Order {
        namespace: args.namespace,
        name: args.name,
        uid: args.uid,
        attempt: args.attempt,
        system_namespace: global.system_namespace.clone(),
        local_sources: args.local_source,
        termination_log: args.termination_log,
    };
    run_export(&connect::client_options(global), &order).await
}
