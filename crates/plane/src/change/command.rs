//! Filing and signing, judged.

use super::in_force::InForce;
use super::limits::{LIFE, OPEN_MAX, OPEN_OF_FILER_MAX};
use super::state::{Change, only_cuts};
use super::validate::problems;
use crate::act;
use crate::refusal::Refusal;
use crate::view::View;
use writ_credential::{PublicKey, VerifiedAct};
use writ_ledger::SignedAct;
use writ_ledger::body::{ChangeContent, Item};
use writ_types::{ActKind, ChangeId, Code, Denial, PartyId};

/// File a change set.
#[derive(Debug, Clone)]
pub struct FileChange {
    /// What is signed.
    pub content: ChangeContent,
    /// The filer's signature.
    pub act: SignedAct,
}

/// Sign a change set.
#[derive(Debug, Clone)]
pub struct SignChange {
    /// Which.
    pub change: ChangeId,
    /// The signature: of somebody who answers for a part, or of a new key.
    pub act: SignedAct,
}

/// Take an own change set back, while a part of it waits.
#[derive(Debug, Clone)]
pub struct WithdrawChange {
    /// Which.
    pub change: ChangeId,
    /// The filer's signature over the change set's content (act `refuse`, id: the change set's).
    pub act: SignedAct,
}

/// A change set that its filer takes back.
#[derive(Debug)]
pub(crate) struct ChangeTakenBack {
    pub(crate) id: ChangeId,
    pub(crate) filed: u64,
    pub(crate) act: SignedAct,
    pub(crate) by: VerifiedAct,
}

/// A signature on a change set that counts, and the content if it is new.
#[derive(Debug)]
pub(crate) struct ChangeAccepted {
    pub(crate) id: ChangeId,
    pub(crate) filed: Option<ChangeContent>,
    pub(crate) act: SignedAct,
    pub(crate) by: Signer,
    /// True if all of it is in force already, word for word: it needs no entry.
    pub(crate) nothing_new: bool,
}

/// Whose signature it is.
#[derive(Debug)]
pub(crate) enum Signer {
    /// An active person's.
    Person(VerifiedAct),
    /// A key's that is not enrolled yet, for this party.
    NewKey(PartyId),
}

impl FileChange {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<ChangeAccepted, Refusal> {
        let id = self.content.change;
        let by = act::check(view.state, &self.act, ActKind::Change, &id.to_string(), &self.content, view.now)?;
        if self.content.filer != by.by() {
            return Err(Denial::new(Code::BadSignature, "the filer is not who signed", "file it under your own party id").into());
        }
        // What ends something has room of its own: it doesn't wait for what grants (law 12).
        let cuts = only_cuts(&self.content);
        let waiting: Vec<_> = view.state.changes.0.values().filter(|change| only_cuts(&change.content) == cuts).collect();
        if waiting.len() >= OPEN_MAX {
            return Err(Denial::new(
                Code::Limit,
                format!("{OPEN_MAX} change sets wait already"),
                "have some of them signed; one that is not signed is forgotten after 30 days",
            )
            .into());
        }
        let mine = waiting.iter().filter(|change| change.content.filer == self.content.filer).count();
        if mine >= OPEN_OF_FILER_MAX {
            let denial = Denial::new(Code::Limit, format!("{mine} of your change sets wait already"), "have some signed first");
            return Err(denial.into());
        }
        let problems = problems(view.state, &self.content);
        if !problems.is_empty() {
            let denial = Denial::new(Code::Invalid, "the change set does not hold", "mend each and file again");
            return Err(denial.missing(problems).into());
        }
        let nothing_new = InForce::of(view.state).has_all_of(&self.content);
        Ok(ChangeAccepted { id, filed: Some(self.content), act: self.act, by: Signer::Person(by), nothing_new })
    }
}

/// A change set of which a part waits.
fn waiting<'a>(view: View<'a>, id: &ChangeId) -> Result<&'a Change, Denial> {
    let absent = || format!("change set `{id}` does not wait for signatures");
    view.state.changes.get(id).ok_or_else(|| Denial::new(Code::NotFound, absent(), "list them with `writ sign`"))
}

impl WithdrawChange {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<ChangeTakenBack, Refusal> {
        let change = waiting(view, &self.change)?;
        let by = act::check(view.state, &self.act, ActKind::Refuse, &self.change.to_string(), &change.content, view.now)?;
        if by.by() != change.content.filer {
            let help = "leave it unsigned: what is not signed is not in force, and is forgotten after 30 days";
            return Err(Denial::new(Code::PolicyDenied, "only who filed a change set takes it back", help).into());
        }
        Ok(ChangeTakenBack { id: self.change, filed: change.filed, act: self.act, by })
    }
}

impl SignChange {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<ChangeAccepted, Refusal> {
        let change = waiting(view, &self.change)?;
        // An expiry is a predicate over time, whoever forgot it (law 8).
        if change.filed_at.after(LIFE) <= view.now {
            return Err(Denial::new(Code::Stale, "the change set was not signed within 30 days", "file it again").into());
        }
        let by = match new_key(change, &self.act) {
            Some((party, openssh)) => {
                let id = self.change.to_string();
                act::verify(
                    &view.state.domain.origin,
                    &self.act,
                    &openssh,
                    ActKind::Change,
                    &id,
                    &change.content,
                    Some(view.now),
                )?;
                act::once(view.state, &self.act)?;
                Signer::NewKey(party)
            }
            None => Signer::Person(act::check(
                view.state,
                &self.act,
                ActKind::Change,
                &self.change.to_string(),
                &change.content,
                view.now,
            )?),
        };
        Ok(ChangeAccepted { id: self.change, filed: None, act: self.act, by, nothing_new: false })
    }
}

/// The party and the key, if the signature is one of a key that this change set enrols.
pub(crate) fn new_key(change: &Change, act: &SignedAct) -> Option<(PartyId, String)> {
    change.content.items.iter().find_map(|item| match item {
        Item::Key(key) if !key.remove && key.party == act.by => {
            let parsed = PublicKey::from_line(&key.key).ok()?;
            (parsed.fingerprint().to_string() == act.key).then(|| (key.party, key.key.clone()))
        }
        _ => None,
    })
}
