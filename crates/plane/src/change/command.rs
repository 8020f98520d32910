//! Filing and signing, judged.

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

/// A signature on a change set that counts, and the content if it is new.
#[derive(Debug)]
pub(crate) struct ChangeAccepted {
    pub(crate) id: ChangeId,
    pub(crate) filed: Option<ChangeContent>,
    pub(crate) act: SignedAct,
    pub(crate) by: Signer,
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
        Ok(ChangeAccepted { id, filed: Some(self.content), act: self.act, by: Signer::Person(by) })
    }
}

impl SignChange {
    pub(crate) fn prepare(self, view: View<'_>) -> Result<ChangeAccepted, Refusal> {
        let Some(change) = view.state.changes.get(&self.change) else {
            return Err(Denial::new(
                Code::NotFound,
                format!("change set `{}` does not wait for signatures", self.change),
                "list them with `writ sign`",
            )
            .into());
        };
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
        Ok(ChangeAccepted { id: self.change, filed: None, act: self.act, by })
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
