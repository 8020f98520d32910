//! What a DBA installs so that the connector can do its work and nothing else.

use crate::entropy::Entropy;
use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::Path;
use writ_connect::postgres::{Address, InstallError, InstallPlan, InstallScript, install_sql, passfile_line, verifier};
use writ_ledger::body::PostgresTerms;
use writ_store::{KeyDir, KeyError};
use writ_types::{Digest, Name, ParseError, Random as _, Secret, SqlName, TextValue as _};

/// Task users of one cluster at a time.
const USERS_MAX: u32 = 10_000;
/// The longest life of a task's user, in seconds: a task of eight hours outside production.
const TTL_SECONDS_MAX: u32 = 8 * 3_600;
/// Connections of one task's user.
const CONNECTIONS_MAX: u32 = 8;
/// Iterations of the connector's own verifier: it lives long, so it is as slow as PostgreSQL's own.
const ITERATIONS: NonZeroU32 = match NonZeroU32::new(4_096) {
    Some(iterations) => iterations,
    None => NonZeroU32::MIN,
};

/// Scripts for a DBA.
#[derive(Debug)]
pub struct Connected {
    /// One for each managed database, the first database's first.
    pub scripts: Vec<InstallScript>,
    /// True if a new password was made, and its passfile left in the directory.
    pub new_password: bool,
}

/// Why nothing can be installed.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The plan contradicts itself.
    #[error(transparent)]
    Install(#[from] InstallError),
    /// The passfile can't be written.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A name is none.
    #[error(transparent)]
    Name(#[from] ParseError),
    /// The address is none.
    #[error("{0}")]
    Address(writ_connect::ConnectError),
}

/// The scripts for one cluster. The connector's password is made here and stays in the directory; the scripts hold its verifier.
///
/// # Errors
/// When the resource's terms don't hold, or the passfile can't be written.
pub fn connect_postgres(dir: &Path, genesis: Digest, resource: &Name, terms: &PostgresTerms) -> Result<Connected, ConnectError> {
    let passfiles = KeyDir::open(&dir.join("connect"))?;
    let file = format!("{resource}.pass");
    let new_password = !passfiles.has(&file)?;
    let connector_verifier = if new_password {
        let address = Address::parse(&terms.address).map_err(ConnectError::Address)?;
        let (mut random, mut salt) = (Entropy::default(), [0u8; 16]);
        let mut bits = Secret::new([0u8; 32]);
        fill(&mut random, &mut bits);
        random.fill(&mut salt);
        let password = password(&bits);
        let line = passfile_line(&address, &SqlName::parse("writ_connector")?, &password);
        passfiles.create(&file, line.expose().as_bytes())?;
        Some(verifier(&password, salt, ITERATIONS))
    } else {
        None
    };
    let groups: BTreeSet<SqlName> = terms.actions.values().flatten().cloned().collect();
    let plan = InstallPlan {
        installation: genesis,
        prefix: SqlName::parse("writ_t_")?,
        groups,
        databases: terms.databases.clone(),
        users_max: USERS_MAX,
        ttl_seconds_max: TTL_SECONDS_MAX,
        connections_max: CONNECTIONS_MAX,
        connector_verifier,
    };
    Ok(Connected { scripts: install_sql(&plan)?, new_password })
}

fn fill(random: &mut Entropy, bits: &mut Secret<[u8; 32]>) {
    let mut fresh = [0u8; 32];
    random.fill(&mut fresh);
    *bits = Secret::new(fresh);
}

/// 256 random bits in hexadecimal: a passfile needs no escapes for it.
fn password(bits: &Secret<[u8; 32]>) -> Secret<String> {
    let mut text = String::with_capacity(64);
    for byte in bits.expose() {
        text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
        text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
    }
    Secret::new(text)
}
