//! The connector's login, and passfiles in libpq's format (one line: `host:port:database:user:password`).

use super::address::Address;
use crate::ConnectError;
use std::fmt;
use writ_types::{Secret, SqlName, TextValue};

/// Who the connector is at a cluster.
pub struct Login {
    user: SqlName,
    password: Option<Secret<String>>,
}

impl Login {
    /// A user and its password.
    pub const fn new(user: SqlName, password: Secret<String>) -> Self {
        Self { user, password: Some(password) }
    }

    /// The first line of a passfile that fits `address`; the connector's passfile has one line.
    ///
    /// # Errors
    /// When no line fits. The error quotes nothing of the file.
    pub fn from_passfile(content: &Secret<String>, address: &Address) -> Result<Self, ConnectError> {
        for line in content.expose().lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
            let fields = Secret::new(fields(line));
            let [host, port, _, user, password] = fields.expose().as_slice() else { continue };
            let fits = (host == "*" || *host == address.host_text()) && (port == "*" || *port == address.port().to_string());
            if fits {
                let user = SqlName::parse(user).map_err(|error| {
                    ConnectError::Settings(format!("the passfile's user is not a name that the functions know: {}", error.why()))
                })?;
                return Ok(Self::new(user, Secret::new(password.clone())));
            }
        }
        Err(ConnectError::Settings(format!("the connector's passfile has no line for `{address}`")))
    }

    pub(crate) const fn user(&self) -> &SqlName {
        &self.user
    }

    pub(crate) fn password(&self) -> Option<&Secret<String>> {
        self.password.as_ref()
    }
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({})", self.user)
    }
}

/// The line of a passfile for one user in every database of one cluster.
pub fn passfile_line(address: &Address, user: &SqlName, password: &Secret<String>) -> Secret<String> {
    let escape = |text: &str| text.replace('\\', "\\\\").replace(':', "\\:");
    let secret = Secret::new(escape(password.expose()));
    Secret::new(format!("{}:{}:*:{user}:{}\n", escape(&address.host_text()), address.port(), secret.expose()))
}

/// The five fields: colons split, a backslash takes the next character as it is.
fn fields(line: &str) -> Vec<String> {
    let mut out = vec![String::new()];
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match c {
            ':' if out.len() < 5 => out.push(String::new()),
            c => {
                let c = if c == '\\' { chars.next().unwrap_or(c) } else { c };
                if let Some(last) = out.last_mut() {
                    last.push(c);
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn secret(text: &str) -> Secret<String> {
        Secret::new(text.to_owned())
    }

    #[test]
    fn the_line_for_the_address_is_taken() {
        let address = Address::parse("db.internal:5432").unwrap();
        let file = secret("# comment\nother:5432:*:writ_connector:no\ndb.internal:5432:*:writ_connector:y\\:e\\\\s\n");
        let login = Login::from_passfile(&file, &address).unwrap();
        assert_eq!(login.user().as_str(), "writ_connector");
        assert_eq!(login.password().unwrap().expose(), "y:e\\s");
        assert_eq!(format!("{login:?}"), "Login(writ_connector)");
    }

    #[test]
    fn an_error_quotes_nothing_of_the_file() {
        let address = Address::parse("db.internal:5432").unwrap();
        for file in ["hunter2", "other:1:*:u:hunter2", "*:*:*:Bad Name:hunter2"] {
            let error = Login::from_passfile(&secret(file), &address).unwrap_err();
            assert!(!error.to_string().contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(password in "[ -~]{1,40}") {
            let address = Address::parse("/run/with:colon:5432").unwrap();
            let line = passfile_line(&address, &SqlName::parse("u").unwrap(), &Secret::new(password.clone()));
            let login = Login::from_passfile(&line, &address).unwrap();
            prop_assert_eq!(login.password().unwrap().expose(), &password);
        }
    }
}
