//! `writ key`: which keys answer for a person.

use crate::args::{Output, parsed};
use crate::failure::{Failure, Outcome};
use crate::filing;
use crate::link::{Keyed, Link, Reach};
use crate::party::party;
use crate::show::{note, print, table};
use crate::signer::read_public;
use clap::{Args, Subcommand};
use std::path::PathBuf;
use writ_credential::PublicKey;
use writ_ledger::body::{Item, KeyItem};
use writ_types::{Handle, PartyId};

/// Enrol and remove keys
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Enrol a person's key: two holders of `administer` sign, and so does the new key
    Enrol(Enrol),
    /// End a key: what it signed stays signed
    Remove(Remove),
    /// List the keys
    List(List),
}

/// Enrol a person's key
#[derive(Debug, Args)]
pub(crate) struct Enrol {
    /// Whose key
    #[arg(value_parser = parsed::<Handle>)]
    name: Handle,
    /// The public key
    #[arg(long = "pub", value_name = "FILE")]
    public: PathBuf,
    /// The key that it replaces, by file or fingerprint: signed with that one, nobody else has to sign
    #[arg(long, value_name = "KEY")]
    replaces: Option<String>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

/// End a key
#[derive(Debug, Args)]
pub(crate) struct Remove {
    /// Whose key
    #[arg(value_parser = parsed::<Handle>)]
    name: Handle,
    /// The public key's file, or its fingerprint `SHA256:…`
    #[arg(value_name = "KEY")]
    which: String,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

/// List the keys
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

impl Key {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Enrol(enrol) => enrol.run(),
            Self::Remove(remove) => remove.run(),
            Self::List(list) => list.run(),
        }
    }
}

impl Enrol {
    fn run(self) -> Outcome {
        let key = read_public(&self.public)?;
        let link = Link::open(&self.reach)?;
        let known = filing::known(&link)?;
        let person = party(&known, &self.name)?;
        let mut items = vec![Item::Key(KeyItem { party: person, key: key.to_string(), remove: false })];
        if let Some(which) = &self.replaces {
            items.push(gone(&link, &self.name, person, which)?);
        }
        let people = filing::people(&link, &known)?;
        if let Some(holder) = people.holder(&key) {
            let message = format!("key {} is enrolled already, for {}", key.fingerprint(), people.handle(&holder));
            return Err(Failure::failed(message, "one key, one party: make another"));
        }
        let me = link.me(&self.keyed)?;
        let seen = filing::file(&link, &known, &me, items, &[])?;
        if !self.output.is_json() && !seen.view.complete {
            let change = seen.view.change;
            let file = self.public.display();
            note(&format!(
                "the new key signs too: its holder runs `writ sign {change} --key FILE`, or elsewhere:\n  \
                 writ sign {change} --pub {file} --print > statement.json\n  \
                 ssh-keygen -Y sign -n writ.change -f FILE statement.json\n  \
                 writ sign {change} --pub {file} --signature statement.json.sig"
            ));
        }
        filing::report(&seen, &people, self.output)
    }
}

impl Remove {
    fn run(self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let known = filing::known(&link)?;
        let person = party(&known, &self.name)?;
        let item = gone(&link, &self.name, person, &self.which)?;
        let me = link.me(&self.keyed)?;
        let seen = filing::file(&link, &known, &me, vec![item], &[])?;
        filing::report(&seen, &filing::people(&link, &known)?, self.output)
    }
}

/// The end of a person's key, which is named by file or fingerprint.
fn gone(link: &Link, name: &Handle, person: PartyId, which: &str) -> Result<Item, Failure> {
    let fingerprint = match which.starts_with("SHA256:") {
        true => which.to_owned(),
        false => read_public(&PathBuf::from(which))?.fingerprint().to_string(),
    };
    let found = link.estate()?.keys.iter().find(|key| key.fingerprint == fingerprint && key.party == person);
    let Some(found) = found else {
        let message = format!("`{name}` has no key `{}`", crate::show::plain(&fingerprint));
        return Err(Failure::usage(message, "see `writ key list`"));
    };
    let key = PublicKey::from_line(&found.key)?;
    Ok(Item::Key(KeyItem { party: person, key: key.to_string(), remove: true }))
}

impl List {
    fn run(self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let estate = link.estate()?;
        if self.output.is_json() {
            crate::show::print_json(&estate.keys);
            return Ok(crate::failure::Exit::Done);
        }
        let people = crate::people::People::of(estate);
        let mut rows = vec![["PARTY", "KEY", "ENROLLED"].map(str::to_owned).to_vec()];
        rows.extend(
            estate.keys.iter().map(|key| vec![people.handle(&key.party), key.fingerprint.clone(), key.enrolled_at.to_string()]),
        );
        print(&table(&rows));
        Ok(crate::failure::Exit::Done)
    }
}
