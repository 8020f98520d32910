//! `writ svid`: this process attests itself, and its document is written out for other people's programs to judge.

use crate::args::Output;
use crate::failure::{Exit, Failure, Outcome};
use crate::run::{Actor, Way};
use crate::show::{print, print_json};
use clap::Args;
use serde_json::json;
use std::path::{Path, PathBuf};
use writ_credential::x509::{PemLabel, pem_encode};

/// Attest this process, and write its certificates; the private key stays in memory
#[derive(Debug, Args)]
pub(crate) struct Svid {
    #[command(flatten)]
    way: Way,
    /// The directory for `svid.pem` and `bundle.pem`
    #[arg(long, value_name = "DIR", default_value = ".")]
    to: PathBuf,
    #[command(flatten)]
    output: Output,
}

impl Svid {
    pub(crate) fn run(self) -> Outcome {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::bug)?;
        let actor = runtime.block_on(Actor::attest(&self.way)).map_err(crate::run::named)?;
        let held = actor.svid();
        write(&self.to.join("svid.pem"), &held.chain)?;
        write(&self.to.join("bundle.pem"), &held.bundle)?;
        if self.output.is_json() {
            print_json(&json!({ "spiffe_id": held.spiffe_id, "expires": held.expires }));
        } else {
            print(&format!("{} until {}\nsvid.pem and bundle.pem are in {}", held.spiffe_id, held.expires, self.to.display()));
        }
        Ok(Exit::Done)
    }
}

fn write(path: &Path, certificates: &[Vec<u8>]) -> Result<(), Failure> {
    let text = pem_encode(PemLabel::Certificate, certificates.iter().map(Vec::as_slice));
    std::fs::write(path, text).map_err(|error| Failure::file(path, &error))
}
