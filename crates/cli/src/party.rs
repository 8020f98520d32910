//! `writ party`: people, teams and systems.

use crate::args::{Output, parsed};
use crate::estate::known::Known;
use crate::failure::{Failure, Outcome};
use crate::filing;
use crate::leak;
use crate::link::{Keyed, Link, Reach};
use crate::people::name_content;
use crate::signer::read_public;
use clap::{Args, Subcommand, ValueEnum};
use std::path::PathBuf;
use writ_ledger::body::{Item, KeyItem, PartyItem, PartyState, PartyType};
use writ_ledger::{Blob, Salt};
use writ_types::{Handle, PartyId};

/// Add, disable and enable parties
#[derive(Debug, Subcommand)]
pub(crate) enum Party {
    /// Add a person, a team or a system
    Add(Add),
    /// End a party's powers at once; the tasks that it delegated end
    Disable(State),
    /// Give a party its powers back
    Enable(State),
    /// List the parties
    List(List),
}

/// The type of a party
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Type {
    Person,
    Team,
    System,
}

/// Add a person, a team or a system
#[derive(Debug, Args)]
pub(crate) struct Add {
    /// The short name in estate files
    #[arg(value_parser = parsed::<Handle>)]
    name: Handle,
    #[arg(long = "type", value_enum)]
    kind: Type,
    /// The name that people know
    #[arg(long, value_name = "TEXT")]
    display_name: Option<String>,
    /// The mail address
    #[arg(long, value_name = "ADDRESS")]
    mail: Option<String>,
    /// A member of the team
    #[arg(long = "member", value_name = "NAME", value_parser = parsed::<Handle>)]
    members: Vec<Handle>,
    /// The person's public key, enrolled in the same change set
    #[arg(long = "pub", value_name = "FILE")]
    public: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

/// A party by name
#[derive(Debug, Args)]
pub(crate) struct State {
    /// Its short name
    #[arg(value_parser = parsed::<Handle>)]
    name: Handle,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    keyed: Keyed,
    #[command(flatten)]
    output: Output,
}

/// List the parties
#[derive(Debug, Args)]
pub(crate) struct List {
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

impl Party {
    pub(crate) fn run(self) -> Outcome {
        match self {
            Self::Add(add) => add.run(),
            Self::Disable(state) => state.run(true),
            Self::Enable(state) => state.run(false),
            Self::List(list) => list.run(),
        }
    }
}

impl Add {
    fn run(self) -> Outcome {
        for (what, text) in [("display name", &self.display_name), ("mail address", &self.mail)] {
            let Some(text) = text else { continue };
            crate::estate::check_line(text)
                .map_err(|why| Failure::usage(format!("the {what} {why}"), "write 1 to 256 characters"))?;
            leak::refuse(what, text)?;
        }
        let kind = match self.kind {
            Type::Person => PartyType::Person,
            Type::Team => PartyType::Team,
            Type::System => PartyType::System,
        };
        let key = match (&self.public, kind) {
            (Some(file), PartyType::Person) => Some(read_public(file)?),
            (Some(_), _) => return Err(Failure::usage("only a person has a key", "leave `--pub` out")),
            (None, _) => None,
        };
        let link = Link::open(&self.reach)?;
        let known = filing::known(&link)?;
        let name = &self.name;
        if known.parties.contains_key(name) {
            let help = "change it with `writ apply`, or choose another name";
            return Err(Failure::failed(format!("party `{name}` is there already"), help));
        }
        if known.waiting_party(name).is_some() {
            return Err(Failure::failed(format!("party `{name}` waits for signatures already"), "see `writ sign`"));
        }
        let mut members = Vec::new();
        for member in &self.members {
            members.push(party(&known, member)?);
        }
        members.sort_unstable();
        let me = link.me(&self.keyed)?;
        let party = PartyId::mint(&mut *link.random());
        let content = name_content(name, self.display_name.as_deref(), self.mail.as_deref());
        let blob = Blob::new(content, Salt::mint(&mut *link.random())).map_err(Failure::bug)?;
        let mut items = vec![Item::Party(PartyItem { party, kind, name: blob.name(), members })];
        items.extend(key.map(|key| Item::Key(KeyItem { party, key: key.to_string(), remove: false })));
        let seen = filing::file(&link, &known, &me, items, std::slice::from_ref(&blob))?;
        let mut people = filing::people(&link, &known)?;
        people.learn(party, &blob.name(), &[serde_json::from_slice(blob.bytes()).map_err(Failure::bug)?]);
        filing::report(&seen, &people, self.output)
    }
}

impl State {
    fn run(self, disabled: bool) -> Outcome {
        let link = Link::open(&self.reach)?;
        let known = filing::known(&link)?;
        let party = party(&known, &self.name)?;
        let already = known.parties.get(&self.name).is_some_and(|known| known.disabled == disabled);
        if already {
            let state = if disabled { "disabled" } else { "enabled" };
            crate::show::note(&format!("nothing to file: party `{}` is {state} already", self.name));
            return Ok(crate::failure::Exit::Done);
        }
        let me = link.me(&self.keyed)?;
        let items = vec![Item::PartyState(PartyState { party, disabled })];
        let seen = filing::file(&link, &known, &me, items, &[])?;
        filing::report(&seen, &filing::people(&link, &known)?, self.output)
    }
}

impl List {
    fn run(self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let estate = link.estate()?;
        if self.output.is_json() {
            crate::show::print_json(&estate.parties);
            return Ok(crate::failure::Exit::Done);
        }
        let people = crate::people::People::of(estate);
        let mut rows = vec![["NAME", "TYPE", "STATE", "KEYS", "ID"].map(str::to_owned).to_vec()];
        for party in &estate.parties {
            let keys = estate.keys.iter().filter(|key| key.party == party.party).count();
            let state = if party.disabled { "disabled" } else { "active" };
            let handle = people.handle(&party.party);
            rows.push(vec![handle, party.kind.clone(), state.to_owned(), keys.to_string(), party.party.to_string()]);
        }
        crate::show::print(&crate::show::table(&rows));
        Ok(crate::failure::Exit::Done)
    }
}

/// The party of this name.
pub(crate) fn party(known: &Known, name: &Handle) -> Result<PartyId, Failure> {
    known.parties.get(name).map(|party| party.party).ok_or_else(|| {
        let help = crate::estate::suggestion(name.as_str(), known.parties.keys().map(Handle::as_str));
        Failure::usage(format!("party `{name}` is unknown"), help)
    })
}
