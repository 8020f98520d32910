//! `writ connect postgres sql`: what a DBA installs so that the connector can make and end task users, and nothing else.

use crate::args::parsed;
use crate::estate::{Document, read_files};
use crate::failure::{Exit, Failure, Outcome};
use crate::link::{Link, Reach};
use crate::show::{note, plain, print};
use clap::{Args, Subcommand};
use std::path::{Path, PathBuf};
use writ_ledger::Log;
use writ_ledger::body::PostgresTerms;
use writ_server::{ConnectError, connect_postgres};
use writ_store::{Options, SqliteStore};
use writ_types::{Digest, Name, SqlName};

/// Connect managed backends
#[derive(Debug, Subcommand)]
pub(crate) enum Connect {
    /// PostgreSQL clusters
    #[command(subcommand)]
    Postgres(Postgres),
}

/// PostgreSQL clusters
#[derive(Debug, Subcommand)]
pub(crate) enum Postgres {
    /// Print the functions and roles that a DBA installs, for a superuser's psql
    Sql(Sql),
}

/// Print the functions and roles that a DBA installs, for a superuser's psql
#[derive(Debug, Args)]
pub(crate) struct Sql {
    /// Estate files that describe the resource
    #[arg(short, long = "file", value_name = "FILE", required = true)]
    files: Vec<PathBuf>,
    /// The server's directory: the connector's passfile is left in it
    #[arg(long, value_name = "DIR")]
    dir: PathBuf,
    /// Which resource, where the files describe several
    #[arg(long, value_name = "NAME", value_parser = parsed::<Name>)]
    resource: Option<Name>,
    /// Only the script of this database
    #[arg(long, value_name = "DATABASE", value_parser = parsed::<SqlName>)]
    database: Option<SqlName>,
}

impl Connect {
    pub(crate) fn run(self) -> Outcome {
        let Self::Postgres(Postgres::Sql(verb)) = self;
        verb.run()
    }
}

impl Sql {
    fn run(self) -> Outcome {
        let (name, terms) = self.chosen()?;
        if let Some(wanted) = self.database.as_ref().filter(|wanted| !terms.databases.contains(wanted)) {
            let known: Vec<String> = terms.databases.iter().map(ToString::to_string).collect();
            let message = format!("resource `{name}` has no database `{wanted}`");
            return Err(Failure::usage(message, format!("its databases are {}", known.join(", "))));
        }
        let connected = connect_postgres(&self.dir, genesis(&self.dir)?, &name, &terms).map_err(failure)?;
        let scripts = connected.scripts.iter().map(|script| (&script.database, script.sql.as_str()));
        print(&script(scripts.filter(|(database, _)| self.database.as_ref().is_none_or(|only| only == *database))));
        let passfile = self.dir.join("connect").join(format!("{name}.pass"));
        let made = if connected.new_password { "a new password is in" } else { "the password stays the one in" };
        note(&format!("{made} {}; run the script as a superuser: `psql -f SCRIPT`", plain(&passfile.display().to_string())));
        Ok(Exit::Done)
    }

    /// The resource that is meant.
    fn chosen(&self) -> Result<(Name, PostgresTerms), Failure> {
        let mut found: Vec<(Name, PostgresTerms)> = read_files(&self.files)?
            .into_iter()
            .filter_map(|document| match document {
                Document::Resource(resource) => Some((resource.name.value, resource.postgres)),
                _ => None,
            })
            .collect();
        let names: Vec<String> = found.iter().map(|(name, _)| format!("`{name}`")).collect();
        found.retain(|(name, _)| self.resource.as_ref().is_none_or(|wanted| wanted == name));
        match (found.pop(), found.is_empty(), &self.resource) {
            (Some(only), true, _) => Ok(only),
            (None, _, Some(wanted)) => Err(Failure::usage(
                format!("the files describe no resource `{wanted}`"),
                format!("they describe {}", listed(&names)),
            )),
            (None, _, None) => Err(Failure::usage("the files describe no resource", "add a document with `kind: Resource`")),
            (Some(_), false, _) => Err(Failure::usage(
                "the files describe several resources",
                format!("choose with `--resource`: {}", names.join(", ")),
            )),
        }
    }
}

fn listed(names: &[String]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// All scripts as one, each after a line that takes psql to its database.
fn script<'a>(scripts: impl Iterator<Item = (&'a SqlName, &'a str)>) -> String {
    let mut all = "\\set ON_ERROR_STOP on\n".to_owned();
    for (database, sql) in scripts {
        let newline = if sql.ends_with('\n') { "" } else { "\n" };
        all.push_str(&format!("\\connect {database}\n{sql}{newline}"));
    }
    all
}

/// The hash that marks the cluster as this installation's: from the server, or from the log where none runs.
fn genesis(dir: &Path) -> Result<Digest, Failure> {
    let reach = Reach { dir: Some(dir.to_owned()), ..Reach::default() };
    match Link::open(&reach) {
        Ok(link) => Ok(link.status().genesis),
        Err(failure) if failure.exit == Exit::Unreachable => {
            let broken = |error: &dyn std::fmt::Display| {
                Failure::failed(error.to_string(), "name the directory that `writ init` made, or start its server")
            };
            let store = SqliteStore::open(dir, Options::default()).map_err(|error| broken(&error))?;
            let log = Log::open(store, |_, _| ()).map_err(|error| broken(&error))?;
            log.genesis().ok_or_else(|| Failure::failed("the log has no genesis", "run `writ init` first"))
        }
        Err(failure) => Err(failure),
    }
}

fn failure(error: ConnectError) -> Failure {
    let help = match &error {
        ConnectError::Install(_) | ConnectError::Address(_) | ConnectError::Name(_) => "change the resource in the estate file",
        ConnectError::Key(_) => "the passfile lies in `connect/` of the directory, readable by its owner alone",
    };
    Failure::failed(error.to_string(), help)
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::TextValue as _;

    #[test]
    fn one_script_takes_psql_through_every_database() {
        let (billing, orders) = (SqlName::parse("billing").unwrap(), SqlName::parse("orders").unwrap());
        let all = script([(&billing, "-- 1"), (&orders, "-- 2\n")].into_iter());
        assert_eq!(all, "\\set ON_ERROR_STOP on\n\\connect billing\n-- 1\n\\connect orders\n-- 2\n");
    }
}
