//! `writ serve`: the server, in the foreground, until it is told to stop.

use crate::failure::{Exit, Failure, Outcome};
use crate::show::{note, print};
use clap::Args;
use std::net::SocketAddr;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;
use writ_server::{Config, Phase, PhaseHook, ServeError, serve};

/// Serve a directory until a signal says stop
#[derive(Debug, Args)]
pub(crate) struct Serve {
    /// The directory that `writ init` made
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// The socket for people; by default `DIR/admin.sock`
    #[arg(long, value_name = "PATH")]
    admin_socket: Option<PathBuf>,
    /// The Workload API's socket; by default `DIR/workload.sock`
    #[arg(long, value_name = "PATH")]
    workload_socket: Option<PathBuf>,
    /// Where actors reach the API, by certificate
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8443", conflicts_with = "no_api")]
    api: SocketAddr,
    /// Don't serve the API to actors
    #[arg(long)]
    no_api: bool,
    /// Serve a development domain
    #[arg(long)]
    dev: bool,
    /// For crash tests only: kill this process when an effect reaches that phase
    #[arg(long, value_name = "PHASE", value_parser = phase, hide = true)]
    crash_in: Option<Phase>,
}

fn phase(text: &str) -> Result<Phase, String> {
    let names: Vec<&str> = Phase::ALL.iter().map(|phase| phase.as_str()).collect();
    Phase::ALL.into_iter().find(|phase| phase.as_str() == text).ok_or_else(|| format!("the phases are {}", names.join(", ")))
}

impl Serve {
    pub(crate) fn run(self) -> Outcome {
        let filter = EnvFilter::try_from_env("WRIT_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
        // A line that can't be written is lost: stderr may lie on the disk that is full, and saying so there would be the end.
        let said = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(false);
        said.log_internal_errors(false).init();
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::bug)?;
        runtime.block_on(self.serve())
    }

    async fn serve(self) -> Outcome {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::bug)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::bug)?;
        let on_phase = self.crash_in.map_or_else(PhaseHook::default, |wanted| {
            note(&format!("this server kills itself in phase `{}`: for crash tests only", wanted.as_str()));
            PhaseHook::new(move |phase| {
                if phase == wanted {
                    die();
                }
            })
        });
        let config = Config {
            dir: self.dir,
            admin_socket: self.admin_socket,
            workload_socket: self.workload_socket,
            api: (!self.no_api).then_some(self.api),
            dev: self.dev,
            on_phase,
        };
        let stop = async move {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
        };
        serve(config, || print("ready"), stop).await.map_err(failure)?;
        Ok(Exit::Done)
    }
}

/// As `kill -9` does: nothing is flushed, nothing is closed.
fn die() {
    let _ = rustix::process::kill_process(rustix::process::getpid(), rustix::process::Signal::KILL);
    std::process::abort();
}

fn failure(error: ServeError) -> Failure {
    let help = match &error {
        ServeError::Dir(_) => "name the directory that `writ init` made; one server holds it at a time",
        ServeError::Open(_) => "nothing was repaired: see `writ log verify`, and bring back what is broken from a backup",
        ServeError::Key(_)
        | ServeError::LogKey(_)
        | ServeError::OtherLogKey
        | ServeError::Authority(_)
        | ServeError::OtherAuthority => {
            "the key files lie in `keys/` of the directory, readable by its owner alone; bring them back from a backup"
        }
        ServeError::Denied(denial) => return Failure::from(denial.clone()),
        ServeError::Agent(_) | ServeError::Listen { .. } => "choose another socket or address, or stop who has it",
        ServeError::Ended => "report this",
        ServeError::Dev => "add `--dev` for a development domain, and only for one",
    };
    Failure::failed(error.to_string(), help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_phase_has_its_name_on_the_command_line() {
        for known in Phase::ALL {
            assert_eq!(phase(known.as_str()), Ok(known));
        }
        assert!(phase("later").is_err_and(|why| why.contains("block-new")));
    }
}
