//! The writ command: one file a verb.

mod act;
mod apply;
mod args;
mod change;
mod connect;
mod credential;
mod demo;
mod estate;
mod failure;
mod filing;
mod head;
mod init;
mod key;
mod kill;
mod leak;
mod link;
mod log;
mod login;
mod memory;
mod party;
mod people;
mod run;
mod serve;
mod show;
mod sign;
mod signer;
mod svid;
mod system;
mod take;
mod task;
mod why;
mod withdraw;

use clap::Parser as _;
use failure::Exit;
use std::process::ExitCode;

fn main() -> ExitCode {
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Help and version are answers; the rest is usage.
            let asked = !error.use_stderr();
            let _ = error.print();
            return ExitCode::from(if asked { Exit::Done } else { Exit::Usage } as u8);
        }
    };
    match args.verb.run() {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.exit as u8)
        }
    }
}
