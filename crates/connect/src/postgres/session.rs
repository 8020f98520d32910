//! One connection of the connector's login, with its prepared statements.

use super::address::Host;
use super::settings::PostgresSettings;
use super::tls;
use crate::ConnectError;
use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_postgres::config::{ChannelBinding, SslMode};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Config, NoTls, Row, Statement};

/// A connection. Dropping it closes it, whatever runs on it.
pub(crate) struct Session {
    client: Client,
    driver: JoinHandle<()>,
    statements: BTreeMap<&'static str, Statement>,
    server_version: String,
    backend: String,
    call: Duration,
}

impl Drop for Session {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Session {
    /// Connects to one database.
    pub(crate) async fn connect(settings: &PostgresSettings, database: &str) -> Result<Self, ConnectError> {
        let backend = settings.address.to_string();
        let config = config(settings, database)?;
        let unreachable = |error: tokio_postgres::Error| refused_or(&backend, &error, false);
        let limit = settings.limits.connect;
        let timed_out = || ConnectError::TimedOut { backend: backend.clone(), what: "take a connection", limit, asked: false };
        let (client, driver, server_version) = if let Some(ca) = &settings.ca {
            let tls = tls::client(ca)?;
            let (client, connection) =
                timeout(limit, config.connect(tls)).await.map_err(|_| timed_out())?.map_err(unreachable)?;
            let version = connection.parameter("server_version").unwrap_or_default().to_owned();
            (client, spawn(connection), version)
        } else {
            let (client, connection) =
                timeout(limit, config.connect(NoTls)).await.map_err(|_| timed_out())?.map_err(unreachable)?;
            let version = connection.parameter("server_version").unwrap_or_default().to_owned();
            (client, spawn(connection), version)
        };
        Ok(Self { client, driver, statements: BTreeMap::new(), server_version, backend, call: settings.limits.call })
    }

    /// True if the other side has gone.
    pub(crate) fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    /// The server's version, as it says it.
    pub(crate) fn server_version(&self) -> &str {
        &self.server_version
    }

    /// The rows of a prepared statement.
    pub(crate) async fn rows(
        &mut self,
        what: &'static str,
        sql: &'static str,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<Vec<Row>, ConnectError> {
        let (backend, limit) = (self.backend.clone(), self.call);
        let asked = async {
            let statement = match self.statements.get(sql) {
                Some(statement) => statement.clone(),
                None => {
                    let statement = self.client.prepare(sql).await.map_err(|error| refused_or(&backend, &error, false))?;
                    self.statements.insert(sql, statement.clone());
                    statement
                }
            };
            self.client.query(&statement, arguments).await.map_err(|error| refused_or(&backend, &error, true))
        };
        timeout(limit, asked)
            .await
            .unwrap_or_else(|_| Err(ConnectError::TimedOut { backend: backend.clone(), what, limit, asked: true }))
    }

    /// The one row of a prepared statement.
    pub(crate) async fn row(
        &mut self,
        what: &'static str,
        sql: &'static str,
        arguments: &[&(dyn ToSql + Sync)],
    ) -> Result<Row, ConnectError> {
        let mut rows = self.rows(what, sql, arguments).await?;
        match (rows.pop(), rows.is_empty()) {
            (Some(row), true) => Ok(row),
            _ => Err(ConnectError::Bug(format!("the functions of `{}` did not answer {what} with one row", self.backend))),
        }
    }

    /// Runs one statement that can't be prepared.
    pub(crate) async fn run(&self, what: &'static str, sql: &str) -> Result<(), ConnectError> {
        let (backend, limit) = (&self.backend, self.call);
        match timeout(limit, self.client.batch_execute(sql)).await {
            Ok(done) => done.map_err(|error| refused_or(backend, &error, true)),
            Err(_) => Err(ConnectError::TimedOut { backend: backend.clone(), what, limit, asked: true }),
        }
    }

    /// One column of a row.
    pub(crate) fn get<'r, T: tokio_postgres::types::FromSql<'r>>(&self, row: &'r Row, column: usize) -> Result<T, ConnectError> {
        row.try_get(column)
            .map_err(|_| ConnectError::Bug(format!("column {column} of an answer of `{}` is not as expected", self.backend)))
    }
}

/// The task that moves the bytes; it ends with the connection.
fn spawn<S, T>(connection: tokio_postgres::Connection<S, T>) -> JoinHandle<()>
where
    tokio_postgres::Connection<S, T>: Future<Output = Result<(), tokio_postgres::Error>> + Send + 'static,
{
    tokio::spawn(async move {
        if let Err(error) = connection.await {
            tracing::debug!(%error, "a connection to a managed cluster ended");
        }
    })
}

fn config(settings: &PostgresSettings, database: &str) -> Result<Config, ConnectError> {
    let mut config = Config::new();
    match settings.address.host() {
        Host::Tcp(name) => config.host(name),
        Host::Unix(directory) => config.host_path(directory),
    };
    config
        .port(settings.address.port())
        .dbname(database)
        .user(settings.login.user().as_str())
        .application_name("writ")
        .connect_timeout(settings.limits.connect)
        .tcp_user_timeout(settings.limits.call)
        // The functions pin theirs; what the connector itself asks finds nothing but the catalog.
        .options("-c search_path=pg_catalog -c default_transaction_isolation=read\\ committed");
    if let Some(password) = settings.login.password() {
        config.password(password.expose());
    }
    if settings.ca.is_some() {
        config.ssl_mode(SslMode::Require).channel_binding(ChannelBinding::Require);
    } else if settings.address.is_local() {
        config.ssl_mode(SslMode::Disable);
    } else {
        return Err(ConnectError::Settings(format!("`{}` is on another machine: the resource needs its `ca`", settings.address)));
    }
    Ok(config)
}

/// What PostgreSQL or the way there said. Only code and message: a statement's text or a parameter is never shown.
fn refused_or(backend: &str, error: &tokio_postgres::Error, asked: bool) -> ConnectError {
    let backend = backend.to_owned();
    let Some(said) = error.as_db_error() else {
        let cause = error.source().map_or_else(|| error.to_string(), ToString::to_string);
        return ConnectError::Unreachable { backend, cause, asked };
    };
    let message = said.message().to_owned();
    match said.code().code() {
        "WR010" | "WR030" => ConnectError::Bug(format!("the functions of `{backend}` refuse what they were asked: {message}")),
        "WR020" => ConnectError::Foreign { backend },
        "WR021" => ConnectError::Epoch { backend, message },
        "WR040" => ConnectError::Spent { backend },
        "WR041" => ConnectError::Full { backend },
        // Classes 57 (operator intervention) and 08 (connection), 53300: the cluster stops, starts or is full.
        code if code.starts_with("57P") || code.starts_with("08") || code == "53300" => {
            ConnectError::Unreachable { backend, cause: message, asked }
        }
        code => ConnectError::Refused { backend, sqlstate: code.to_owned(), message },
    }
}
