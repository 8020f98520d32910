//! The command line: a verb each, with its own arguments in its own file.

use crate::failure::Outcome;
use crate::{
    apply, connect, credential, demo, init, key, kill, log, login, party, run, serve, sign, svid, take, task, why, withdraw,
};
use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

/// No writ, no credential.
#[derive(Debug, Parser)]
#[command(name = "writ", version, about, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Open a trust domain: its founders sign the genesis
    Init(init::Init),
    /// Serve a directory until a signal says stop
    Serve(serve::Serve),
    /// Open a session, by your key
    Login(login::Login),
    /// Add, disable and enable parties
    #[command(subcommand)]
    Party(party::Party),
    /// Enrol and remove keys
    #[command(subcommand)]
    Key(key::Key),
    /// File what differs between estate files and what is in force
    Apply(apply::Apply),
    /// Show what `writ apply` would file
    Diff(apply::Diff),
    /// List the change sets that wait, or sign one
    Sign(sign::Sign),
    /// Take an own change set back, while a part of it waits
    Withdraw(withdraw::Withdraw),
    /// Request, approve and end tasks
    #[command(subcommand)]
    Task(task::Task),
    /// End everything in a scope, now
    #[command(subcommand)]
    Kill(kill::Kill),
    /// Run a command in a task, with the task's credential, as the attested actor
    ///
    /// The command finds the database in PGSERVICEFILE, PGSERVICE, PGHOST, PGPORT, PGDATABASE and PGUSER, and the password in PGPASSFILE.
    /// When it ends, the task ends; when the task ends, it is ended. The exit code is the command's once it has started.
    Run(run::Run),
    /// Take a credential of a running task; what lies outside the task ends it
    ///
    /// The passfile lies in memory: beside that of `writ run`, and gone with it, or in a directory of its own, which who took it removes.
    Take(take::Take),
    /// Attest this process, and write its certificates
    Svid(svid::Svid),
    /// Connect managed backends
    #[command(subcommand)]
    Connect(connect::Connect),
    /// Look at credentials
    #[command(subcommand)]
    Credential(credential::Credential),
    /// Tell the story of anything that you can show
    Why(why::Why),
    /// Verify and export the log
    #[command(subcommand)]
    Log(log::Log),
    /// Show the whole of it on this machine, judged by psql, OpenSSL and ssh-keygen
    Demo(demo::Demo),
}

impl Verb {
    /// Does it.
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Init(verb) => verb.run(),
            Self::Serve(verb) => verb.run(),
            Self::Login(verb) => verb.run(),
            Self::Party(verb) => verb.run(),
            Self::Key(verb) => verb.run(),
            Self::Apply(verb) => verb.run(),
            Self::Diff(verb) => verb.run(),
            Self::Sign(verb) => verb.run(),
            Self::Withdraw(verb) => verb.run(),
            Self::Task(verb) => verb.run(),
            Self::Kill(verb) => verb.run(),
            Self::Run(verb) => verb.run(),
            Self::Take(verb) => verb.run(),
            Self::Svid(verb) => verb.run(),
            Self::Connect(verb) => verb.run(),
            Self::Credential(verb) => verb.run(),
            Self::Why(verb) => verb.run(),
            Self::Log(verb) => verb.run(),
            Self::Demo(verb) => verb.run(),
        }
    }
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub(crate) enum Form {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
}

/// How the answer is written.
#[derive(Debug, Clone, Copy, Default, ClapArgs)]
pub(crate) struct Output {
    /// How the answer is written
    #[arg(short = 'o', long = "output", value_enum, default_value_t)]
    pub(crate) form: Form,
}

impl Output {
    pub(crate) fn is_json(self) -> bool {
        self.form == Form::Json
    }
}

/// A command-line value with one textual form.
pub(crate) fn parsed<T: writ_types::TextValue>(text: &str) -> Result<T, String> {
    T::parse(text).map_err(|error| error.why().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn every_verb_has_arguments_that_do_not_contradict_each_other() {
        Args::command().debug_assert();
    }
}
