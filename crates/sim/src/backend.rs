//! A model of PostgreSQL as Writ's functions leave it: roles, sessions, tombstones. It survives every crash of the server.

use std::collections::{BTreeMap, BTreeSet};
use writ_types::{CredentialId, CutDatabaseUser, OpenDatabaseUser, SqlName, Time};

/// The database.
#[derive(Debug, Clone, Default)]
pub struct Backend {
    roles: BTreeMap<SqlName, Role>,
    tombstones: BTreeSet<SqlName>,
    /// Creates that were sent and have not arrived.
    in_flight: Vec<OpenDatabaseUser>,
    /// It does not answer.
    pub down: bool,
    /// What is sent arrives late, and the answer never.
    pub late: bool,
    /// It refuses to make anything.
    pub refuses: bool,
    made: u64,
    /// Creates that a tombstone refused.
    pub refused_by_tombstone: u64,
}

/// One role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Role {
    /// For which credential.
    pub credential: CredentialId,
    /// True while it may log in.
    pub login: bool,
    /// `VALID UNTIL`.
    pub expires: Time,
    /// Sessions that live.
    pub sessions: u32,
}

/// Why the backend did not do it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackendError {
    /// It does not answer: whether it did it is not known.
    Silent,
    /// It says no.
    Refused,
}

impl Backend {
    /// Makes a role. The tombstone is looked at in the same transaction.
    ///
    /// # Errors
    /// When it is down, late, or refuses.
    pub fn open(&mut self, order: &OpenDatabaseUser) -> Result<String, BackendError> {
        if self.down {
            return Err(BackendError::Silent);
        }
        if self.late {
            self.in_flight.push(order.clone());
            return Err(BackendError::Silent);
        }
        if self.refuses {
            return Err(BackendError::Refused);
        }
        self.make(order)
    }

    fn make(&mut self, order: &OpenDatabaseUser) -> Result<String, BackendError> {
        if self.tombstones.contains(&order.user) {
            self.refused_by_tombstone += 1;
            return Err(BackendError::Refused);
        }
        self.made += 1;
        let role = Role { credential: order.credential, login: true, expires: order.expires, sessions: 0 };
        self.roles.insert(order.user.clone(), role);
        Ok(self.made.to_string())
    }

    /// What was sent arrives.
    pub fn arrive(&mut self) {
        if !self.down {
            for order in std::mem::take(&mut self.in_flight) {
                let _ = self.make(&order);
            }
        }
    }

    fn reached(&self) -> Result<(), BackendError> {
        if self.down { Err(BackendError::Silent) } else { Ok(()) }
    }

    /// Phase 1: no new login, and a tombstone that refuses a late create.
    ///
    /// # Errors
    /// When it is down.
    pub fn block(&mut self, cut: &CutDatabaseUser) -> Result<(), BackendError> {
        self.reached()?;
        self.tombstones.insert(cut.user.clone());
        if let Some(role) = self.roles.get_mut(&cut.user) {
            role.login = false;
        }
        Ok(())
    }

    /// Phase 2: live sessions end.
    ///
    /// # Errors
    /// When it is down.
    pub fn cut(&mut self, cut: &CutDatabaseUser) -> Result<(), BackendError> {
        self.reached()?;
        if let Some(role) = self.roles.get_mut(&cut.user) {
            role.sessions = 0;
        }
        Ok(())
    }

    /// Phase 3: true if no session is left.
    ///
    /// # Errors
    /// When it is down.
    pub fn verify(&self, cut: &CutDatabaseUser) -> Result<bool, BackendError> {
        self.reached()?;
        Ok(self.roles.get(&cut.user).is_none_or(|role| role.sessions == 0 && !role.login))
    }

    /// Phase 4: the role goes.
    ///
    /// # Errors
    /// When it is down.
    pub fn clean(&mut self, cut: &CutDatabaseUser) -> Result<(), BackendError> {
        self.reached()?;
        self.roles.remove(&cut.user);
        Ok(())
    }

    /// A client logs in with a password that was handed to it.
    pub fn connect(&mut self, user: &SqlName, now: Time) -> bool {
        let role = self.roles.get_mut(user).filter(|role| role.login && role.expires > now);
        role.map(|role| role.sessions += 1).is_some()
    }

    /// The roles that exist.
    pub fn roles(&self) -> impl Iterator<Item = (&SqlName, &Role)> {
        self.roles.iter()
    }

    /// One role.
    pub fn role(&self, user: &SqlName) -> Option<&Role> {
        self.roles.get(user)
    }
}
