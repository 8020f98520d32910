//! The entries that open a trust domain, built from what its founders signed.

use crate::act;
use crate::actor::person;
use crate::plan::{Draft, Plan};
use std::collections::BTreeSet;
use writ_credential::{PublicKey, VerifiedAct};
use writ_ledger::body::{FindingRaised, Founder, Genesis, GenesisContent, KeyEnrolled};
use writ_ledger::{Entry, LogKey, SignedAct};
use writ_policy::{PolicySet, PolicySource};
use writ_types::{ActKind, Code, Denial, Digest, OwnerRole, PartyId, Random, TextValue, Time};

/// Founders of one trust domain at most: a genesis is one entry.
const FOUNDERS_MAX: usize = 16;
/// Witnesses of one log at most.
const WITNESSES_MAX: usize = 16;
/// Bytes of a witness's verifier key at most.
const WITNESS_BYTES_MAX: usize = 512;

/// The first entries of a log: the genesis, a key for each founder and, where one founder is alone, the finding that says so.
/// They are appended as one batch, with the blobs of the founders' names.
///
/// # Errors
/// Everything in `content` that does not hold; else the founder whose signature (act `genesis`, id: the origin) is missing or
/// does not hold at `at`.
pub fn found(content: GenesisContent, acts: Vec<SignedAct>, at: Time, random: &mut dyn Random) -> Result<Vec<Entry>, Denial> {
    let (policy_set, problems) = problems(&content);
    let Some(policy_set) = policy_set.filter(|_| problems.is_empty()) else {
        let denial = Denial::new(Code::Invalid, "the genesis does not hold", "mend each, and have every founder sign again");
        return Err(denial.missing(problems));
    };
    let founders = signed(&content, &acts, at)?;
    let first = founders.first().ok_or_else(|| unsigned(&content.founders))?;

    let mut plan = Plan::new(0);
    let mut draft = Draft::new(person(first), Genesis { content: content.clone() });
    draft = draft.on(content.founders.iter().map(|founder| founder.party));
    draft = draft.blobs(content.founders.iter().map(|founder| founder.name));
    let genesis = plan.push(acts.into_iter().fold(draft, Draft::act));
    for (founder, act) in content.founders.iter().zip(&founders) {
        let fingerprint = act.key().to_string();
        let on = [founder.party.to_string(), fingerprint.clone()];
        let (party, key) = (founder.party, founder.key.clone());
        let enrolled = KeyEnrolled { change: None, party, key, fingerprint, enrolled_by: Vec::new() };
        plan.push(Draft::new(person(act), enrolled).on(on).cause([genesis]));
    }
    if let [founder] = content.founders.as_slice() {
        let what = "one founder alone holds every power at the root: enrol a second person".to_owned();
        let finding = FindingRaised { rule: "sole-founder".to_owned(), what };
        plan.push(Draft::new(crate::actor::system(), finding).on([founder.party]).cause([genesis]));
    }
    let long = || Denial::new(Code::Limit, "the genesis does not fit into an entry of the log (64 KiB)", "name fewer founders");
    let drafts = plan.into_drafts();
    let entries = drafts.iter().map(|draft| draft.entry(at, 1, Some(policy_set), random).filter(|entry| entry.encode().is_ok()));
    entries.collect::<Option<Vec<_>>>().ok_or_else(long)
}

/// Each founder's act, in the founders' order.
fn signed(content: &GenesisContent, acts: &[SignedAct], at: Time) -> Result<Vec<VerifiedAct>, Denial> {
    let lacking: Vec<Founder> =
        content.founders.iter().filter(|founder| !acts.iter().any(|act| act.by == founder.party)).cloned().collect();
    if !lacking.is_empty() {
        return Err(unsigned(&lacking));
    }
    if acts.len() != content.founders.len() {
        return Err(Denial::new(Code::Invalid, "every founder signs once, and nobody else", "leave the other signatures out"));
    }
    let of = |founder: &Founder| acts.iter().find(|act| act.by == founder.party).ok_or_else(|| unsigned(&content.founders));
    let origin = content.origin.as_str();
    let verify = |founder: &Founder| act::verify(origin, of(founder)?, &founder.key, ActKind::Genesis, origin, content, Some(at));
    content.founders.iter().map(verify).collect()
}

fn unsigned(founders: &[Founder]) -> Denial {
    Denial::new(Code::BadSignature, "not every founder has signed", "have each sign what `writ init --print` prints")
        .missing(founders.iter().map(|founder| format!("the signature of founder `{}`", founder.party)))
        .who_can(founders.iter().map(|founder| founder.party.to_string()))
}

/// The policy set's hash, and everything that is wrong.
fn problems(content: &GenesisContent) -> (Option<Digest>, Vec<String>) {
    let mut wrong = Vec::new();
    let count = content.founders.len();
    if !(1..=FOUNDERS_MAX).contains(&count) {
        wrong.push(format!("there are 1 to {FOUNDERS_MAX} founders, not {count}"));
    }
    if usize::try_from(content.quorum).map_or(true, |quorum| !(1..=count.max(1)).contains(&quorum)) {
        wrong.push(format!("the quorum `{}` is not 1 to {count}, the number of founders", content.quorum));
    }
    match LogKey::parse(&content.log_key) {
        Ok(key) if key.name() == content.origin => {}
        Ok(key) => wrong.push(format!("the log's key is named `{}`, not by the origin", key.name())),
        Err(error) => wrong.push(error.to_string()),
    }
    let printable =
        |text: &String| !text.is_empty() && text.len() <= WITNESS_BYTES_MAX && text.bytes().all(|b| b.is_ascii_graphic());
    if content.witnesses.len() > WITNESSES_MAX || !content.witnesses.iter().all(printable) {
        wrong.push(format!("there are at most {WITNESSES_MAX} witnesses, each by its verifier key"));
    }
    keys(&content.founders, &mut wrong);
    root(content, &mut wrong);
    (policy(content, &mut wrong), wrong)
}

/// One key, one party.
fn keys(founders: &[Founder], wrong: &mut Vec<String>) {
    let (mut parties, mut keys) = (BTreeSet::new(), BTreeSet::new());
    for founder in founders {
        let read = PublicKey::from_line(&founder.key).ok().filter(|key| key.to_string() == founder.key);
        match read {
            None => wrong.push(format!("the key of founder `{}` is not a public line without a comment", founder.party)),
            Some(key) if !keys.insert(key.fingerprint().to_string()) => {
                wrong.push(format!("the key of founder `{}` is another founder's too", founder.party));
            }
            Some(_) => {}
        }
        if !parties.insert(founder.party) {
            wrong.push(format!("founder `{}` stands there twice", founder.party));
        }
    }
}

/// Founders hold every role, and a backup is somebody else.
fn root(content: &GenesisContent, wrong: &mut Vec<String>) {
    let is_founder = |party: &PartyId| content.founders.iter().any(|founder| founder.party == *party);
    for role in OwnerRole::ALL {
        match content.root.owners.get(role) {
            None => wrong.push(format!("nobody is the {role} owner of the root boundary")),
            Some(owner) if content.root.backups.get(role) == Some(owner) => {
                wrong.push(format!("the backup of the {role} owner of the root boundary is somebody else"));
            }
            Some(_) => {}
        }
    }
    let named = content.root.owners.values().chain(content.root.backups.values()).chain(content.root.duties.values());
    wrong
        .extend(named.filter(|party| !is_founder(party)).map(|party| format!("`{party}` answers at the root and is no founder")));
}

/// The set compiles, and its texts stand in the one order that its hash is over.
fn policy(content: &GenesisContent, wrong: &mut Vec<String>) -> Option<Digest> {
    let texts = content.policy.policies.iter().map(|policy| (policy.id.as_str(), policy.text.as_str()));
    let source = PolicySource::new(content.policy.schema.as_str(), texts);
    let hash = source.as_ref().ok().map(PolicySource::hash);
    if let Err(error) = source.and_then(PolicySet::compile) {
        wrong.push(format!("the policy set does not hold: {error}"));
    }
    let texts = writ_types::canonical(&content.policy).ok().map(|bytes| Digest::of(&bytes));
    if hash.is_some() && texts != hash {
        wrong.push("the policies are not ordered by id".to_owned());
    }
    hash
}
