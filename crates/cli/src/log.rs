//! `writ log`: verify an exported log without trusting anybody, and export one.

mod export;
mod verify;

use crate::failure::Outcome;
use clap::Subcommand;

/// Verify and export the log
#[derive(Debug, Subcommand)]
pub(crate) enum Log {
    /// Verify an exported log, offline
    Verify(verify::Verify),
    /// Export the log as a tree of files
    Export(export::Export),
}

impl Log {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Verify(verify) => verify.run(),
            Self::Export(export) => export.run(),
        }
    }
}
