//! The functions as typed calls.

use super::session::Session;
use crate::ConnectError;
use std::collections::BTreeSet;
use writ_types::{CredentialId, Digest, OpenDatabaseUser, SqlName};

/// What block did.
#[derive(Debug)]
pub(crate) struct Blocked {
    /// The role, or 0 if none was made.
    pub(crate) role: i64,
    /// True if nothing that lets it in is left.
    pub(crate) complete: bool,
    /// What could not be done, or was found.
    pub(crate) notes: Vec<String>,
    /// Where in the write-ahead log.
    pub(crate) lsn: String,
}

/// What verify saw.
#[derive(Debug)]
pub(crate) struct Seen {
    /// True if the role exists.
    pub(crate) role_left: bool,
    /// True if the role can't log in, is in no group and lent to nobody.
    pub(crate) blocked: bool,
    /// Its sessions' process ids.
    pub(crate) sessions: Vec<i32>,
    /// Logins that have not said who they are: process id and virtual transaction.
    pub(crate) in_flight: BTreeSet<String>,
    /// Its prepared transactions, each with its database.
    pub(crate) prepared: Vec<(String, String)>,
    /// Prepared transactions that belong to one of its groups.
    pub(crate) prepared_by_group: i64,
    /// Standbys, or slots of them.
    pub(crate) standbys: i64,
    /// Where in the write-ahead log.
    pub(crate) lsn: String,
}

/// What drop did.
#[derive(Debug)]
pub(crate) struct Dropped {
    /// True if the role is gone.
    pub(crate) dropped: bool,
    /// The databases in which something holds it.
    pub(crate) held_in: Vec<String>,
    /// How much holds it outside every database.
    pub(crate) held_elsewhere: i64,
}

impl Session {
    /// Makes the user; its OID.
    pub(crate) async fn open(
        &mut self,
        installation: &Digest,
        order: &OpenDatabaseUser,
        verifier: &str,
        connections: u16,
    ) -> Result<i64, ConnectError> {
        let number = |n: u64| i64::try_from(n).map_err(|_| ConnectError::Bug(format!("{n} is more than the backend can hold")));
        let groups: Vec<&str> = order.groups.iter().map(SqlName::as_str).collect();
        let row = self
            .row(
                "make a user",
                "SELECT writ.open($1, $2, $3, $4, $5, $6, $7, $8)",
                &[
                    &installation.to_string(),
                    &number(order.epoch)?,
                    &order.credential.to_string(),
                    &order.user.as_str(),
                    &verifier,
                    &groups,
                    &number(order.expires.micros())?,
                    &i32::from(connections),
                ],
            )
            .await?;
        self.get(&row, 0)
    }

    /// Leaves the tombstone and blocks.
    pub(crate) async fn block(
        &mut self,
        installation: &Digest,
        credential: CredentialId,
        user: &SqlName,
    ) -> Result<Blocked, ConnectError> {
        let sql = "SELECT b.role_id, b.complete, b.notes, b.lsn FROM writ.block($1, $2, $3) AS b";
        let row = self.row("block a user", sql, &[&installation.to_string(), &credential.to_string(), &user.as_str()]).await?;
        Ok(Blocked { role: self.get(&row, 0)?, complete: self.get(&row, 1)?, notes: self.get(&row, 2)?, lsn: self.get(&row, 3)? })
    }

    /// Ends its sessions: how many were signalled.
    pub(crate) async fn cut(&mut self, credential: CredentialId) -> Result<i32, ConnectError> {
        let sql = "SELECT c.signalled FROM writ.cut($1) AS c";
        let row = self.row("cut sessions", sql, &[&credential.to_string()]).await?;
        self.get(&row, 0)
    }

    /// Looks what is left.
    pub(crate) async fn verify(&mut self, credential: CredentialId) -> Result<Seen, ConnectError> {
        let sql = "SELECT v.role_left, v.blocked, v.sessions, v.in_flight, v.prepared, v.prepared_in, v.prepared_by_group, \
                   v.standbys, v.lsn FROM writ.verify($1) AS v";
        let row = self.row("say what is left", sql, &[&credential.to_string()]).await?;
        let in_flight: Vec<String> = self.get(&row, 3)?;
        let gids: Vec<String> = self.get(&row, 4)?;
        let databases: Vec<String> = self.get(&row, 5)?;
        Ok(Seen {
            role_left: self.get(&row, 0)?,
            blocked: self.get(&row, 1)?,
            sessions: self.get(&row, 2)?,
            in_flight: in_flight.into_iter().collect(),
            prepared: gids.into_iter().zip(databases).collect(),
            prepared_by_group: self.get(&row, 6)?,
            standbys: self.get(&row, 7)?,
            lsn: self.get(&row, 8)?,
        })
    }

    /// Makes the connector able to act as the blocked user.
    pub(crate) async fn lend(&mut self, credential: CredentialId) -> Result<(), ConnectError> {
        self.row("lend a blocked user", "SELECT writ.lend($1)::text", &[&credential.to_string()]).await.map(drop)
    }

    /// Takes that back.
    pub(crate) async fn unlend(&mut self, credential: CredentialId) -> Result<(), ConnectError> {
        self.row("take a blocked user back", "SELECT writ.unlend($1)::text", &[&credential.to_string()]).await.map(drop)
    }

    /// Cleans the database that this connection is to: whether all is gone, and what stays.
    pub(crate) async fn clean(&mut self, role: i64, user: &SqlName, keep: bool) -> Result<(bool, Vec<String>), ConnectError> {
        let sql = "SELECT c.done, c.notes FROM writ.clean($1, $2, $3) AS c";
        let row = self.row("clean a database", sql, &[&role, &user.as_str(), &keep]).await?;
        Ok((self.get(&row, 0)?, self.get(&row, 1)?))
    }

    /// Drops the user.
    pub(crate) async fn drop_user(&mut self, credential: CredentialId) -> Result<Dropped, ConnectError> {
        let sql = "SELECT d.dropped, d.held_in, d.held_elsewhere FROM writ.drop($1) AS d";
        let row = self.row("drop a user", sql, &[&credential.to_string()]).await?;
        Ok(Dropped { dropped: self.get(&row, 0)?, held_in: self.get(&row, 1)?, held_elsewhere: self.get(&row, 2)? })
    }

    /// Moves the fence; the epoch before.
    pub(crate) async fn mark(&mut self, installation: &Digest, epoch: i64) -> Result<i64, ConnectError> {
        let row = self.row("take a mark", "SELECT writ.mark($1, $2)", &[&installation.to_string(), &epoch]).await?;
        self.get(&row, 0)
    }

    /// Ends other connections of this same login that hold something open: one that hangs in an open keeps its row
    /// locked, and block waits for that.
    pub(crate) async fn end_own_hung(&mut self) -> Result<usize, ConnectError> {
        let sql = "SELECT pg_catalog.pg_terminate_backend(a.pid) FROM pg_catalog.pg_stat_activity AS a \
                   WHERE a.usename = current_user AND a.pid <> pg_catalog.pg_backend_pid() \
                   AND ((a.state LIKE 'idle in transaction%' AND a.state_change < pg_catalog.clock_timestamp() - interval '100 milliseconds') \
                   OR a.xact_start < pg_catalog.clock_timestamp() - interval '3 seconds')";
        Ok(self.rows("end hung connections", sql, &[]).await?.len())
    }
}
