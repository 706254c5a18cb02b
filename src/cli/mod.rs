//! The command line: arguments in, requests to the use cases, tables or JSON out.
//!
//! Data goes to standard output, everything else to standard error.

mod args;
mod bundle;
mod commands;
mod complete;
mod connect;
mod controller;
mod destinations;
mod documents;
mod emitted;
mod log;
mod output;
mod planned;
mod progress;
mod published;
mod recipients;
mod remote;
mod tables;
mod templates;
#[cfg(feature = "otlp")]
mod traces;

use std::process::ExitCode;
use std::sync::OnceLock;

use clap::CommandFactory as _;
use tokio_util::sync::CancellationToken;

use crate::error::{Error, Exit};
use args::{AppCommand, Cli, Command, LayoutCommand};
use output::Printer;

/// Threads that run tasks: the work is waiting for the network and hashing, and more threads than
/// this only cost memory.
const MAX_WORKERS: usize = 4;

/// Parses the arguments, runs the command and says how it ended.
pub fn main() -> ExitCode {
    let cli = match Cli::of_process() {
        Ok(cli) => cli,
        Err(usage) => {
            let _ = usage.print(); // a closed pipe is no failure of ours
            return if usage.use_stderr() { Exit::Usage.into() } else { ExitCode::SUCCESS };
        }
    };
    let printer = Printer::new(cli.global.output, cli.global.quiet);
    let log = match &cli.command {
        Command::Serve(args) => log::init_server(&cli.global, args.log),
        Command::RunExport(args) => log::init_server(&cli.global, args.log),
        _ => Ok(log::init(cli.global.verbose)),
    };
    match log.and_then(|_log| run(cli, &printer)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            printer.error(&error);
            error.exit().into()
        }
    }
}

/// The definition of all commands, for completions and the generated reference.
pub fn command() -> clap::Command {
    Cli::command()
}

/// Stack of a thread. Charts are rendered, and a leader's parts polled, in frames that are large where
/// nothing is optimised; what is not touched costs nothing.
const STACK: usize = 8 << 20;

fn run(cli: Cli, printer: &Printer) -> Result<(), Error> {
    let workers = std::thread::available_parallelism().map_or(1, usize::from).min(MAX_WORKERS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .thread_stack_size(STACK)
        .enable_all()
        .build()
        .map_err(|source| Error::Runtime { source })?;
    let result = runtime.block_on(async {
        // A server is ended by a signal: that is no failure, and takes its time; a drill removes its
        // namespace first.
        let is_server = matches!(
            cli.command,
            Command::Serve(_) | Command::Drill(_) | Command::Layout(LayoutCommand::Serve(_))
        );
        // The signal may come after the command was polled and before this is: then the command, which
        // may have something to say, has to see it first.
        let left = async {
            interrupted().await;
            tokio::task::yield_now().await;
        };
        tokio::select! {
            biased; // a command that waits for the signal itself comes first
            result = dispatch(cli, printer) => result,
            () = left, if !is_server => Err(Error::Interrupted),
        }
    });
    // Reading standard input blocks a thread that nothing can end; do not wait for it.
    runtime.shutdown_background();
    result
}

async fn dispatch(cli: Cli, printer: &Printer) -> Result<(), Error> {
    let global = &cli.global;
    match cli.command {
        Command::App(AppCommand::List(args)) => {
            commands::app_list::run(&args, global, printer).await
        }
        Command::App(AppCommand::Show(args)) => {
            commands::app_show::run(&args, global, printer).await
        }
        Command::App(AppCommand::Export(args)) => {
            commands::app_export::run(&args, global, printer).await
        }
        Command::App(AppCommand::Copy(args)) => {
            commands::app_copy::run(&args, global, printer).await
        }
        Command::App(AppCommand::Diff(args)) => {
            commands::app_diff::run(&args, global, printer).await
        }
        Command::App(AppCommand::History(args)) => {
            commands::app_history::run(&args, global, printer).await
        }
        Command::App(AppCommand::Pin(args)) => commands::app_pin::pin(&args, global, printer).await,
        Command::App(AppCommand::Unpin(args)) => {
            commands::app_pin::unpin(&args, global, printer).await
        }
        Command::App(AppCommand::Import(args)) => {
            commands::app_import::run(&args, global, printer).await
        }
        Command::Export(command) => commands::export::run(&command, global, printer).await,
        Command::Schedule(command) => commands::schedule::run(&command, global, printer).await,
        Command::ExportRegistries(args) => {
            commands::export_registries::run(&args, global, printer).await
        }
        Command::Registry(command) => commands::registry::run(&command, global, printer).await,
        Command::Copy(args) => commands::copy::run(&args, printer).await,
        Command::Drill(args) => commands::drill::run(&args, global, printer).await,
        Command::Verify(args) => commands::verify::run(&args, global, printer).await,
        Command::Prune(args) => commands::prune::run(&args, global, printer).await,
        Command::Serve(args) => commands::serve::run(&args, global).await,
        Command::RunExport(args) => commands::run_export::run(args, global).await,
        Command::Layout(LayoutCommand::Serve(args)) => {
            commands::layout_serve::run(&args, printer).await
        }
        Command::Demo(args) => commands::demo::run(&args, printer).await,
        Command::Complete(args) => complete::run(&args, command(), printer).await,
        Command::Completions { shell } => printer.completions(shell, command()),
    }
}

/// Ends when the user or the system asks us to end. What waits for it at several places sees it
/// everywhere at once, which receivers of a signal do not: they are woken one after the other.
pub(crate) async fn interrupted() {
    static ASKED: OnceLock<CancellationToken> = OnceLock::new();
    ASKED.get_or_init(asked).cancelled().await;
}

/// Is cancelled by the first signal; never, where there are none.
fn asked() -> CancellationToken {
    use tokio::signal::unix::{SignalKind, signal};
    let asked = CancellationToken::new();
    let signals = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()));
    if let (Ok(mut interrupt), Ok(mut terminate)) = signals {
        let asked = asked.clone();
        tokio::spawn(async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
            asked.cancel();
        });
    }
    asked
}
