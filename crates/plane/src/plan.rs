//! Plans: the entries of one command, in order, each with what is to be done once it is durable.

use crate::fold::At;
use writ_ledger::body::Body;
use writ_ledger::{Actor, ENTRY_VERSION, Entry, Kind, Salt, SignedAct};
use writ_types::{DecisionId, Digest, EventId, Order, Random, TextValue, Time};

/// Entries that are about to be appended, with their orders.
#[derive(Debug)]
pub(crate) struct Plan {
    base: u64,
    drafts: Vec<Draft>,
}

/// One entry before it has its place.
#[derive(Debug)]
pub(crate) struct Draft {
    pub(crate) body: Body,
    pub(crate) actor: Actor,
    pub(crate) on: Vec<String>,
    pub(crate) cause: Vec<u64>,
    pub(crate) decision: Option<DecisionId>,
    pub(crate) acts: Vec<SignedAct>,
    pub(crate) blobs: Vec<Digest>,
    pub(crate) order: Option<Order>,
}

impl Draft {
    /// An entry by `actor` that says `body`.
    pub(crate) fn new(actor: Actor, body: impl Into<Body>) -> Self {
        Self {
            body: body.into(),
            actor,
            on: Vec::new(),
            cause: Vec::new(),
            decision: None,
            acts: Vec::new(),
            blobs: Vec::new(),
            order: None,
        }
    }

    /// Names what it is about: everything by which it is to be found.
    pub(crate) fn on(mut self, on: impl IntoIterator<Item = impl ToString>) -> Self {
        self.on.extend(on.into_iter().map(|id| id.to_string()));
        self
    }

    /// Names the entries that it rests on.
    pub(crate) fn cause(mut self, cause: impl IntoIterator<Item = u64>) -> Self {
        self.cause.extend(cause);
        self
    }

    /// Names the decision that it rests on.
    pub(crate) fn decision(mut self, decision: Option<DecisionId>) -> Self {
        self.decision = decision;
        self
    }

    /// Carries a person's signature.
    pub(crate) fn act(mut self, act: SignedAct) -> Self {
        self.acts.push(act);
        self
    }

    /// Names the blobs that it rests on.
    pub(crate) fn blobs(mut self, blobs: impl IntoIterator<Item = Digest>) -> Self {
        self.blobs.extend(blobs);
        self
    }

    /// Orders something once it is durable.
    pub(crate) fn order(mut self, order: Order) -> Self {
        self.order = Some(order);
        self
    }
}

impl Plan {
    /// A plan whose first entry gets index `base`.
    pub(crate) const fn new(base: u64) -> Self {
        Self { base, drafts: Vec::new() }
    }

    /// Adds an entry; its index.
    pub(crate) fn push(&mut self, draft: Draft) -> u64 {
        let index = self.next();
        self.drafts.push(draft);
        index
    }

    /// The next entry's index.
    pub(crate) fn next(&self) -> u64 {
        self.base + self.drafts.len() as u64
    }

    /// The entries so far.
    pub(crate) fn drafts(&self) -> &[Draft] {
        &self.drafts
    }

    pub(crate) fn into_drafts(self) -> Vec<Draft> {
        self.drafts
    }
}

impl Draft {
    /// Where and when it would stand.
    pub(crate) fn at(&self, index: u64, time: Time) -> At<'_> {
        At { index, time, decision: self.decision, acts: &self.acts }
    }

    /// The entry, at its time.
    pub(crate) fn entry(&self, at: Time, epoch: u64, policy_set: Option<Digest>, random: &mut dyn Random) -> Option<Entry> {
        let mut cause = self.cause.clone();
        cause.sort_unstable();
        cause.dedup();
        let mut on = Vec::with_capacity(self.on.len());
        for id in &self.on {
            if !on.contains(id) {
                on.push(id.clone());
            }
        }
        Some(Entry {
            v: ENTRY_VERSION,
            kind: Kind::parse(self.body.kind()).ok()?,
            at,
            id: EventId::mint(random),
            salt: Salt::mint(random),
            epoch,
            actor: self.actor.clone(),
            on,
            cause,
            decision: self.decision,
            policy_set,
            body: self.body.encode().ok()?,
            acts: self.acts.clone(),
            blobs: self.blobs.clone(),
        })
    }
}
