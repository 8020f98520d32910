//! The five phases that end one user. Each is a transaction of its own and may be repeated, by another process too.

use super::backend::Postgres;
use super::calls::{Blocked, Seen};
use super::quote::{identifier, literal};
use super::session::Session;
use crate::{ClosureProof, ConnectError, Phase};
use std::collections::BTreeSet;
use std::sync::PoisonError;
use std::time::Duration;
use tokio::time::{Instant, sleep};
use writ_types::{Closure, CutDatabaseUser};

/// Most lines of evidence in one proof.
const EVIDENCE_MAX: usize = 40;

/// One call of `end`.
pub(crate) struct Ending<'a> {
    backend: &'a Postgres,
    order: &'a CutDatabaseUser,
    rounds: u32,
    evidence: Vec<String>,
    blocked: Option<Blocked>,
    seen: Option<Seen>,
    tidy: bool,
    untidy: Option<String>,
}

impl<'a> Ending<'a> {
    pub(crate) const fn new(backend: &'a Postgres, order: &'a CutDatabaseUser) -> Self {
        Self { backend, order, rounds: 0, evidence: Vec::new(), blocked: None, seen: None, tidy: false, untidy: None }
    }

    /// Runs the phases as far as they go, and says how far that is.
    pub(crate) async fn run(mut self) -> ClosureProof {
        match self.phases().await {
            Ok(()) => self.state(),
            Err(error) => self.unknown(&error),
        }
    }

    async fn phases(&mut self) -> Result<(), ConnectError> {
        let backend = self.backend;
        let mut lease = backend.ending.take(&backend.settings).await?;
        let outcome = self.with(lease.session()).await;
        lease.settle(&outcome);
        outcome
    }

    async fn with(&mut self, session: &mut Session) -> Result<(), ConnectError> {
        let deadline = Instant::now() + self.backend.settings.limits.end;
        while !self.round(session).await? {
            if Instant::now() >= deadline {
                return Ok(());
            }
            let pause = Duration::from_micros(500 << self.rounds.min(10));
            sleep(pause.min(self.backend.settings.limits.pause)).await;
        }
        // A standby still has the user: dropped here, it could not even be cut there.
        if self.standby().is_none() {
            self.reach(Phase::CleanUp);
            self.clean_up(session).await?;
        }
        self.reach(Phase::Prove);
        let seen = self.look(session).await?;
        self.note(format!("at {} {}", seen.lsn, if seen.role_left { "the blocked role is left" } else { "no role is left" }));
        self.seen = Some(seen);
        Ok(())
    }

    /// One round of block, cut and verify; true once nothing is left that could work.
    async fn round(&mut self, session: &mut Session) -> Result<bool, ConnectError> {
        self.rounds += 1;
        if self.seen.as_ref().is_none_or(|seen| !seen.blocked) && !self.block(session).await? {
            return Ok(false);
        }
        self.reach(Phase::CutLive);
        let signalled = session.cut(self.order.credential).await?;
        self.reach(Phase::VerifyNone);
        let seen = self.look(session).await?;
        self.note(format!(
            "round {}: {signalled} signalled, then {} sessions, {} logins in flight, {} prepared transactions left",
            self.rounds,
            seen.sessions.len(),
            seen.in_flight.len(),
            seen.prepared.len(),
        ));
        // What it prepared may itself hold the lock that keeps block from finishing.
        let roll_back = !seen.prepared.is_empty() && (seen.sessions.is_empty() || !seen.blocked);
        let done = seen.blocked && seen.sessions.is_empty() && seen.in_flight.is_empty() && seen.prepared.is_empty();
        if roll_back {
            self.roll_back(session, &seen.prepared).await?;
        }
        self.seen = Some(seen);
        Ok(done)
    }

    /// True once the tombstone stands.
    async fn block(&mut self, session: &mut Session) -> Result<bool, ConnectError> {
        self.reach(Phase::BlockNew);
        let settings = &self.backend.settings;
        match session.block(&settings.installation, self.order.credential, &self.order.user).await {
            Ok(blocked) => {
                for note in &blocked.notes {
                    self.note(note.clone());
                }
                self.note(format!("blocked role {} at {}", blocked.role, blocked.lsn));
                self.blocked = Some(blocked);
                Ok(true)
            }
            // 55P03: an open of this credential hangs in another connection of this login, 40P01: a deadlock with it.
            Err(ConnectError::Refused { sqlstate, .. }) if sqlstate == "55P03" || sqlstate == "40P01" => {
                let ended = session.end_own_hung().await?;
                self.note(format!("its row was locked; {ended} hung connections of the connector ended"));
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Asks what is left. Of the logins in flight only those count that were so at the first look after the block
    /// committed.
    async fn look(&self, session: &mut Session) -> Result<Seen, ConnectError> {
        let mut seen = session.verify(self.order.credential).await?;
        if seen.blocked {
            let mut first = self.backend.in_flight.lock().unwrap_or_else(PoisonError::into_inner);
            let baseline = first.entry(self.order.credential).or_insert_with(|| seen.in_flight.clone());
            *baseline = baseline.intersection(&seen.in_flight).cloned().collect();
            seen.in_flight.clone_from(baseline);
        }
        Ok(seen)
    }

    /// Rolls back what the user prepared: only the user itself may, each in its own database.
    async fn roll_back(&mut self, session: &mut Session, prepared: &[(String, String)]) -> Result<(), ConnectError> {
        match session.lend(self.order.credential).await {
            Ok(()) => {}
            Err(ConnectError::Refused { message, .. }) => {
                self.note(format!("not lent for a rollback: {message}"));
                return Ok(());
            }
            Err(error) => return Err(error),
        }
        let databases: BTreeSet<&str> = prepared.iter().map(|(_, database)| database.as_str()).collect();
        let mut outcome = Ok(());
        for database in databases {
            let gids = prepared.iter().filter(|(_, other)| other == database).map(|(gid, _)| gid.as_str());
            if let Err(error) = self.roll_back_in(database, gids).await {
                self.note(format!("prepared transactions in `{database}` stay: {error}"));
                outcome = outcome.and(Err(error));
            }
        }
        session.unlend(self.order.credential).await?;
        // What could not be rolled back shows in the next verify; only a cluster that is gone stops the round.
        match outcome {
            Err(error @ ConnectError::TimedOut { .. }) => Err(error),
            _ => Ok(()),
        }
    }

    async fn roll_back_in(&mut self, database: &str, gids: impl Iterator<Item = &str>) -> Result<(), ConnectError> {
        let session = Session::connect(&self.backend.settings, database).await?;
        session.run("act as a blocked user", &format!("SET ROLE {}", identifier(&self.order.user))).await?;
        for gid in gids {
            session.run("roll back a prepared transaction", &format!("ROLLBACK PREPARED {}", literal(gid))).await?;
            self.note(format!("a prepared transaction in `{database}` rolled back"));
        }
        session.run("be the connector again", "RESET ROLE").await
    }

    /// Drops the user; where something holds it, cleans each managed database and tries once more.
    async fn clean_up(&mut self, session: &mut Session) -> Result<(), ConnectError> {
        let mut dropped = session.drop_user(self.order.credential).await?;
        if !dropped.dropped {
            let role = self.blocked_role(session).await?;
            for database in &dropped.held_in {
                self.clean_in(database, role).await;
            }
            dropped = session.drop_user(self.order.credential).await?;
        }
        self.tidy = dropped.dropped;
        if !dropped.dropped {
            let places = dropped.held_in.len() + usize::from(dropped.held_elsewhere > 0);
            self.untidy = Some(format!(
                "a DBA removes what holds the blocked role `{}` in {places} places: {}",
                self.order.user,
                if dropped.held_in.is_empty() { "outside the databases".to_owned() } else { dropped.held_in.join(", ") },
            ));
        }
        Ok(())
    }

    /// Cleans one database. What fails there leaves the user undropped, which is seen next; access has ended already.
    async fn clean_in(&mut self, database: &str, role: i64) {
        let settings = &self.backend.settings;
        if !settings.databases.iter().any(|managed| managed.as_str() == database) {
            self.note(format!("`{database}` is not managed: what is in it stays"));
            return;
        }
        let cleaned = async {
            let mut session = Session::connect(settings, database).await?;
            session.clean(role, &self.order.user, settings.keep_data).await
        };
        match cleaned.await {
            Ok((done, notes)) => {
                for note in notes {
                    self.note(format!("in `{database}`: {note}"));
                }
                self.note(format!("`{database}` {}", if done { "cleaned" } else { "cleaned in part" }));
            }
            Err(error) => self.note(format!("`{database}` not cleaned: {error}")),
        }
    }

    async fn blocked_role(&mut self, session: &mut Session) -> Result<i64, ConnectError> {
        if let Some(blocked) = &self.blocked {
            return Ok(blocked.role);
        }
        let settings = &self.backend.settings;
        Ok(session.block(&settings.installation, self.order.credential, &self.order.user).await?.role)
    }

    /// Why a standby keeps this from being closed.
    fn standby(&self) -> Option<String> {
        let seen = self.seen.as_ref().map_or(0, |seen| seen.standbys);
        match (seen, self.backend.settings.replicas.as_slice()) {
            (0, []) => None,
            (0, named) => Some(format!("standbys are not looked at yet: {}", named.join(", "))),
            (seen, _) => Some(format!("{seen} standbys are not looked at yet, and keep their own sessions")),
        }
    }

    fn reach(&self, phase: Phase) {
        self.backend.settings.on_phase.reach(phase);
    }

    fn note(&mut self, line: String) {
        if self.evidence.len() < EVIDENCE_MAX {
            self.evidence.push(line);
        }
    }

    fn proof(&mut self, state: Closure, reason: Option<String>, next_try: Option<Duration>) -> ClosureProof {
        ClosureProof {
            credential: self.order.credential,
            state,
            access_ended: state == Closure::Closed,
            tidy: self.tidy && state == Closure::Closed,
            rounds: self.rounds,
            evidence: std::mem::take(&mut self.evidence),
            reason,
            next_try,
        }
    }

    fn unknown(&mut self, error: &ConnectError) -> ClosureProof {
        let next = match error {
            ConnectError::Foreign { .. } | ConnectError::Settings(_) | ConnectError::Bug(_) => Duration::from_secs(60),
            _ => Duration::from_secs(1),
        };
        self.proof(Closure::Unknown, Some(error.to_string()), Some(next))
    }

    fn state(&mut self) -> ClosureProof {
        let soon = Some(Duration::from_millis(250));
        let people = Some(Duration::from_secs(60));
        let Some(seen) = self.seen.take() else {
            return self.proof(Closure::Open, Some("its row is locked: it could not be blocked yet".to_owned()), soon);
        };
        let never_opened = self.blocked.as_ref().is_some_and(|blocked| blocked.role == 0 && !blocked.complete);
        if never_opened {
            let reason = format!("a role `{}` exists that this installation did not make: a DBA looks at it", self.order.user);
            return self.proof(Closure::Unknown, Some(reason), people);
        }
        if !seen.blocked {
            return self.proof(Closure::Open, Some("its login or a membership is not blocked yet".to_owned()), soon);
        }
        let mut left = Vec::new();
        let mut next = soon;
        if !seen.sessions.is_empty() {
            left.push(format!("{} sessions have not ended", seen.sessions.len()));
        }
        if !seen.in_flight.is_empty() {
            left.push(format!("{} logins from before the block have not ended", seen.in_flight.len()));
        }
        if !seen.prepared.is_empty() {
            left.push(format!("{} prepared transactions are left", seen.prepared.len()));
        }
        if left.is_empty() {
            next = people;
        }
        if seen.prepared_by_group > 0 {
            let count = seen.prepared_by_group;
            left.push(format!("{count} prepared transactions belong to one of its groups: a DBA rolls them back"));
        }
        self.seen = Some(seen);
        left.extend(self.standby());
        if !left.is_empty() {
            return self.proof(Closure::Partial, Some(left.join("; ")), next);
        }
        if self.tidy {
            // Kept until then: a later look for tidiness must not take new logins for old ones.
            self.backend.in_flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.order.credential);
        }
        let untidy = self.untidy.take();
        let next = if self.tidy { None } else { people };
        self.proof(Closure::Closed, untidy, next)
    }
}
