//! `writ credential`: what was issued, and how far its end has come.

use crate::args::Output;
use crate::failure::{Exit, Outcome};
use crate::link::{Link, Reach};
use crate::show::{plain, print, print_json, table};
use clap::{Args, Subcommand};
use writ_wire::api::CredentialView;

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
        let rows: Vec<CredentialView> = link.get("/v1/credentials")?;
        if self.output.is_json() {
            print_json(&rows);
            return Ok(Exit::Done);
        }
        let mut out = vec![["ID", "KIND", "TASK", "STATE", "CLOSURE", "CLASS", "EXPIRES"].map(str::to_owned).to_vec()];
        let or_none = |text: Option<String>| text.map_or_else(|| "-".to_owned(), |text| plain(&text));
        out.extend(rows.into_iter().map(|row| {
            let task = row.task.map(|task| task.to_string());
            let (kind, class, expires) = (row.kind.to_string(), row.class.to_string(), row.expires_at.to_string());
            vec![plain(&row.id), kind, or_none(task), plain(&row.state), or_none(row.closure), class, expires]
        }));
        print(&table(&out));
        Ok(Exit::Done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use writ_types::{CredentialKind, IdentityId, Time};

    /// The members of a row and their order are a contract.
    #[test]
    fn a_row_has_the_members_of_the_contract() {
        let (kind, identity) = (CredentialKind::PostgresUser, IdentityId::from_bits([1; 16]));
        let row = CredentialView {
            id: "crd".to_owned(),
            kind,
            task: None,
            identity,
            expires_at: Time::from_seconds(1),
            class: kind.class(),
            state: "made".to_owned(),
            closure: None,
            index: 7,
        };
        let text = serde_json::to_string(&row).unwrap();
        let members: Vec<&str> = text.split(',').filter_map(|pair| pair.split('"').nth(1)).collect();
        assert_eq!(members, ["id", "kind", "task", "identity", "expires_at", "class", "state", "closure", "index"]);
    }
}
