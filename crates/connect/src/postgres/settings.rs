//! What the connector is told about one cluster.

use super::address::Address;
use super::limits::Limits;
use super::login::Login;
use crate::{ConnectError, PhaseHook};
use writ_ledger::body::PostgresTerms;
use writ_types::{Digest, SqlName};

/// One managed cluster.
#[derive(Debug)]
pub struct PostgresSettings {
    /// Where it listens.
    pub address: Address,
    /// The certificates that its own must chain to, PEM. Without them only a local address is allowed.
    pub ca: Option<String>,
    /// The managed databases; the first holds the functions' state.
    pub databases: Vec<SqlName>,
    /// Its standbys. Where there are any, nothing is `CLOSED` yet.
    pub replicas: Vec<String>,
    /// Whose cluster it is: the hash of the genesis.
    pub installation: Digest,
    /// Who the connector is there.
    pub login: Login,
    /// How many connections a task's user may have.
    pub connections_per_user: u16,
    /// True if what a task's user leaves behind is kept for `writ_orphans`; false drops it.
    pub keep_data: bool,
    /// The bounds.
    pub limits: Limits,
    /// For crash tests.
    pub on_phase: PhaseHook,
}

impl PostgresSettings {
    /// The settings of a resource with these terms; the rest by default.
    ///
    /// # Errors
    /// When the address can't be read, or no database is named.
    pub fn of(terms: &PostgresTerms, installation: Digest, login: Login) -> Result<Self, ConnectError> {
        if terms.databases.is_empty() {
            return Err(ConnectError::Settings(format!("`{}` has no managed database", terms.address)));
        }
        Ok(Self {
            address: Address::parse(&terms.address)?,
            ca: terms.ca.clone(),
            databases: terms.databases.clone(),
            replicas: terms.replicas.clone(),
            installation,
            login,
            connections_per_user: 8,
            keep_data: true,
            limits: Limits::default(),
            on_phase: PhaseHook::default(),
        })
    }
}
