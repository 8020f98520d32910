//! `writ sign`: list what waits, or answer a change set after it was shown from the content that is signed.

use crate::act::Question;
use crate::args::{Output, parsed};
use crate::change::{self, Seen};
use crate::estate::{Known, roles};
use crate::failure::{Exit, Failure, Outcome};
use crate::filing;
use crate::link::{Keyed, Link, Reach};
use crate::people::People;
use crate::show::{note, print, print_json, table};
use crate::signer::{Signer, read_public, read_text};
use clap::Args;
use serde_json::Value;
use std::collections::BTreeSet;
use std::io::{BufRead as _, IsTerminal as _, Write as _};
use std::path::PathBuf;
use writ_credential::PublicKey;
use writ_ledger::body::{ChangeContent, Item};
use writ_types::{ActKind, ChangeId, Digest, OwnerRole, PartyId, canonical};
use writ_wire::api::{Act, NeedView, SignChange};

/// List the change sets that wait, or sign one
#[derive(Debug, Args)]
pub(crate) struct Sign {
    /// The change set; without it, all that wait are listed
    #[arg(value_parser = parsed::<ChangeId>)]
    change: Option<ChangeId>,
    #[command(flatten)]
    keyed: Keyed,
    /// Don't ask
    #[arg(long)]
    yes: bool,
    /// Print the statement, to be signed on another machine with `ssh-keygen -Y sign -n writ.change`
    #[arg(long, conflicts_with = "signature")]
    print: bool,
    /// A signature that was made on another machine over what `--print` printed
    #[arg(long, value_name = "FILE")]
    signature: Option<PathBuf>,
    /// The public key of who signs on another machine
    #[arg(long = "pub", value_name = "FILE", conflicts_with = "key")]
    public: Option<PathBuf>,
    #[command(flatten)]
    reach: Reach,
    #[command(flatten)]
    output: Output,
}

/// Who answers, and as what.
struct Answerer {
    party: PartyId,
    roles: Vec<OwnerRole>,
    /// True for a key that this change set enrols.
    new_key: bool,
}

impl Sign {
    pub(crate) fn run(self) -> Outcome {
        let link = Link::open(&self.reach)?;
        let Some(id) = self.change else { return list(&link, self.output) };
        let seen = Seen::fetch(&link, &id)?;
        let Some((value, content)) = seen.content()? else {
            note(&format!("change set {id} is in force: nothing waits"));
            return Ok(Exit::Done);
        };
        let mut people = if link.has_session() { People::of(link.estate()?) } else { People::default() };
        change::learn(&mut people, &content, &seen.view.blobs);
        let away = self.print || self.signature.is_some();
        let (public, signer) = match (&self.public, away) {
            (Some(file), _) => (read_public(file)?, None),
            (None, _) => {
                let signer = link.signer(&self.keyed)?;
                (signer.public().clone(), Some(signer))
            }
        };
        let known = if link.has_session() { Some(filing::known(&link)?) } else { None };
        let me = answerer(&seen, &content, &people, known.as_ref(), &public)?;
        let shown = told(&seen, &content, &people, known.as_ref(), &me)?;
        let id_text = id.to_string();
        let question =
            Question { origin: &link.status().origin, act: ActKind::Change, id: &id_text, content: &value, roles: &me.roles };
        let pending = pending_name(&id, &public);
        if self.print {
            note(&shown);
            let statement = question.elsewhere(&mut link.random())?;
            link.memory().keep_statement(&pending, &statement.to_value()?)?;
            return print_bytes(&statement.to_bytes()?);
        }
        let act = match (&self.signature, signer) {
            (Some(file), _) => {
                let statement = link.memory().statement(&pending)?.ok_or_else(|| {
                    Failure::usage("no statement was printed for this change set and key", "print one with `--print` first")
                })?;
                question.answered(me.party, &public, &statement, read_text(file)?)?
            }
            (None, Some(signer)) => {
                if self.output.is_json() {
                    note(&shown)
                } else {
                    print(&shown)
                }
                confirm(&format!("sign all of this{}", as_roles(&me.roles)), self.yes)?;
                question.answer(me.party, &signer, &mut link.random())?
            }
            (None, None) => {
                return Err(Failure::usage("a public key can't sign", "add `--signature FILE`, or name the key with `--key`"));
            }
        };
        finish(&link, &id, act, &people, self.output)
    }
}

/// Whose key it is, and in which roles it answers here.
fn answerer(
    seen: &Seen,
    content: &ChangeContent,
    people: &People,
    known: Option<&Known>,
    key: &PublicKey,
) -> Result<Answerer, Failure> {
    let line = key.to_string();
    let enrols = content.items.iter().find_map(|item| match item {
        Item::Key(item) if !item.remove && item.key == line => Some(item.party),
        _ => None,
    });
    if let Some(party) = enrols {
        return Ok(Answerer { party, roles: Vec::new(), new_key: true });
    }
    let party = people.holder(key).ok_or_else(|| {
        let message = format!("key {} is nobody's here, and the change set does not enrol it", key.fingerprint());
        let help = if known.is_some() { "sign with an enrolled key" } else { "run `writ login` first, or name the new key" };
        Failure::new(Exit::Denied, message, help)
    })?;
    let fingerprint = key.fingerprint().to_string();
    let mine = |need: &&NeedView| need.of.contains(&party) || need.old_key.as_ref() == Some(&fingerprint);
    let needs = || seen.view.parts.iter().flat_map(|part| &part.needs).filter(mine);
    let mut roles: BTreeSet<OwnerRole> = needs().filter_map(|need| need.role).collect();
    roles.extend(known.iter().flat_map(|known| roles::of(content, known, party)));
    let signed = seen.view.signed.iter().find(|signed| signed.party == party);
    if signed.is_some_and(|signed| roles.iter().all(|role| signed.roles.contains(role))) {
        let message = format!("you have signed change set {} already", seen.view.change);
        return Err(Failure::new(Exit::Waiting, message, "it waits for others: `writ sign` lists them"));
    }
    if roles.is_empty() && needs().next().is_none() {
        let message = format!("nothing in change set {} is yours to sign", seen.view.change);
        return Err(Failure::new(Exit::Denied, message, "`writ sign` lists who must sign what"));
    }
    Ok(Answerer { party, roles: roles.into_iter().collect(), new_key: false })
}

/// Hands in a signature and says what it came to.
fn finish(link: &Link, id: &ChangeId, act: Act, people: &People, output: Output) -> Outcome {
    let seen = Seen { view: link.post(&format!("/v1/changes/{id}/sign"), &SignChange { act })? };
    filing::report(&seen, people, output)
}

/// The change set as it is signed: every part, since one signature is over all of it.
fn told(seen: &Seen, content: &ChangeContent, people: &People, known: Option<&Known>, me: &Answerer) -> Result<String, Failure> {
    let digest = Digest::of(&canonical(content).map_err(Failure::bug)?);
    let filed = seen.view.filed_at.map(|at| format!(" at {at}")).unwrap_or_default();
    let mut out = format!("change set {}, filed by {}{filed}\n", content.change, people.handle(&content.filer));
    out.push_str(&format!("what is signed has the digest {digest}\n\n"));
    out.push_str(&change::unshown(content, people));
    out.push_str(&change::parts(content, people, known));
    let mine: Vec<String> = seen
        .view
        .parts
        .iter()
        .filter(|part| part.needs.iter().any(|need| need.of.contains(&me.party)))
        .map(|part| people.spell(&part.what))
        .collect();
    if me.new_key {
        out.push_str(&format!("\nyou show that you hold the new key of {}\n", people.handle(&me.party)));
    } else {
        out.push_str(&format!("\nyou answer{} as {}", as_roles(&me.roles), people.handle(&me.party)));
        let what = if mine.is_empty() { String::new() } else { format!(" for: {}", mine.join(", ")) };
        out.push_str(&format!("{what}\n"));
    }
    Ok(out)
}

fn as_roles(roles: &[OwnerRole]) -> String {
    if roles.is_empty() {
        return String::new();
    }
    format!(" as {} owner", roles.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))
}

/// Where a printed statement is kept until its signature comes.
fn pending_name(id: &ChangeId, key: &PublicKey) -> String {
    let digest = Digest::of(key.to_string().as_bytes()).to_string();
    format!("{id}-{}", digest.trim_start_matches("sha256:"))
}

/// Bytes that are to be signed, and nothing after them.
pub(crate) fn print_bytes(bytes: &[u8]) -> Outcome {
    let mut out = std::io::stdout().lock();
    out.write_all(bytes).and_then(|()| out.flush()).map_err(|error| Failure::failed(error.to_string(), "write it to a file"))?;
    Ok(Exit::Done)
}

/// Asks a person at a terminal; without one, `--yes` must say so.
pub(crate) fn confirm(question: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return Err(Failure::usage("there is no terminal to ask at", "look at what is signed, then add `--yes`"));
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{question}? [y/N] ").and_then(|()| err.flush());
    let mut answer = String::new();
    let read = std::io::stdin().lock().read_line(&mut answer);
    match (read, answer.trim()) {
        (Ok(_), "y" | "Y" | "yes") => Ok(()),
        _ => Err(Failure::failed("nothing was signed", "")),
    }
}

fn list(link: &Link, output: Output) -> Outcome {
    let all = Seen::fetch_all(link)?;
    if output.is_json() {
        print_json(&all.iter().map(|seen| &seen.view).collect::<Vec<_>>());
        return Ok(Exit::Done);
    }
    if all.is_empty() {
        note("no change set waits");
        return Ok(Exit::Done);
    }
    let mut people = People::of(link.estate()?);
    let mut rows = vec![["CHANGE SET", "FILED BY", "WAITS FOR", "PARTS"].map(str::to_owned).to_vec()];
    for seen in &all {
        let content: Option<(Value, ChangeContent)> = seen.content()?;
        if let Some((_, content)) = &content {
            change::learn(&mut people, content, &seen.view.blobs);
        }
        let filer = content.map(|(_, content)| people.handle(&content.filer)).unwrap_or_default();
        let open = || seen.view.parts.iter().filter(|part| !part.in_force);
        let needs = open().flat_map(|part| &part.needs);
        let of: BTreeSet<String> =
            needs.flat_map(|need| change::left(need, &seen.view).0).map(|party| people.handle(party)).collect();
        let parts: Vec<String> = open().map(|part| people.spell(&part.what)).collect();
        let of = of.into_iter().collect::<Vec<_>>().join(", ");
        rows.push(vec![seen.view.change.to_string(), filer, of, parts.join(", ")]);
    }
    print(&table(&rows));
    Ok(Exit::Done)
}

/// A signer for verbs that only sign.
pub(crate) fn signed_by(signer: &Signer, people: &People, party: &PartyId) -> String {
    format!("{} with {}", people.handle(party), signer.public().fingerprint())
}
