//! `writ credential`: what was issued, and how far its end has come.

use crate::args::Output;
use crate::failure::{Exit, Outcome};
use crate::link::{Link, Reach};
use crate::show::{plain, print, print_json, table};
use clap::{Args, Subcommand};
use serde_json::Value;

/// Look at credentials
#[derive(Debug, Subcommand)]
pub(crate) enum Credential {
    /// List the credentials
    List(List),
}

/// List the credentials
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

impl Credential {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::List(list) => list.run(),
        }
    }
}

impl List {
    fn run(self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let rows: Vec<Value> = link.get("/v1/credentials")?;
        if self.output.is_json() {
            print_json(&rows);
            return Ok(Exit::Done);
        }
        let columns = ["id", "kind", "task", "state", "closure", "class", "expires_at"];
        let mut out = vec![["ID", "KIND", "TASK", "STATE", "CLOSURE", "CLASS", "EXPIRES"].map(str::to_owned).to_vec()];
        let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map_or_else(|| "-".to_owned(), plain);
        out.extend(rows.iter().map(|row| columns.iter().map(|name| text(row, name)).collect()));
        print(&table(&out));
        Ok(Exit::Done)
    }
}
