//! Where a cluster listens.

use crate::ConnectError;
use std::fmt;
use std::net::IpAddr;
use std::path::PathBuf;

/// `host:port`, `[v6]:port`, or a directory with the unix socket and port, `/dir:port`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    host: Host,
    port: u16,
}

/// The part before the port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Host {
    /// A name or an IP address.
    Tcp(String),
    /// The directory of a unix socket.
    Unix(PathBuf),
}

impl Address {
    /// Reads one.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str) -> Result<Self, ConnectError> {
        let wrong = |why: &str| {
            let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
            ConnectError::Settings(format!("`{shown}` is not an address: {why}"))
        };
        let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("it ends with a colon and a port"))?;
        let plain = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
        let port = port.parse::<u16>().ok().filter(|port| plain && *port > 0).ok_or_else(|| wrong("the port is 1 to 65535"))?;
        if host.starts_with('/') {
            if host.chars().any(char::is_control) {
                return Err(wrong("a path has no control characters"));
            }
            return Ok(Self { host: Host::Unix(PathBuf::from(host)), port });
        }
        let name = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(v6) => v6.parse::<IpAddr>().map_err(|_| wrong("in brackets stands an IPv6 address"))?.to_string(),
            None => host.to_owned(),
        };
        let fits = (1..=253).contains(&name.len()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b".-_:".contains(&b));
        if !fits || (name.contains(':') && !host.starts_with('[')) {
            return Err(wrong("the host is a name, an IPv4 address, an IPv6 address in brackets or a directory"));
        }
        Ok(Self { host: Host::Tcp(name), port })
    }

    pub(crate) const fn host(&self) -> &Host {
        &self.host
    }

    /// The port.
    pub const fn port(&self) -> u16 {
        self.port
    }

    /// The host as libpq spells it (`PGHOST`): a name, an address or a directory.
    pub fn host_text(&self) -> String {
        match &self.host {
            Host::Tcp(name) => name.clone(),
            Host::Unix(directory) => directory.display().to_string(),
        }
    }

    /// True if nothing between here and there can be listened to: a unix socket or a loopback address.
    pub(crate) fn is_local(&self) -> bool {
        match &self.host {
            Host::Unix(_) => true,
            Host::Tcp(name) => name == "localhost" || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback()),
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Host::Tcp(name) if name.contains(':') => write!(f, "[{name}]:{}", self.port),
            Host::Tcp(name) => write!(f, "{name}:{}", self.port),
            Host::Unix(directory) => write!(f, "{}:{}", directory.display(), self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn an_address_has_one_reading() {
        for text in ["db.internal:5432", "127.0.0.1:1", "[::1]:5432", "/run/postgresql:5432"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for (text, local) in [("localhost:1", true), ("127.0.0.9:1", true), ("[::1]:1", true), ("/s:1", true), ("db:1", false)] {
            assert_eq!(Address::parse(text).unwrap().is_local(), local, "{text}");
        }
        for text in ["", "db", "db:", "db:0", "db:70000", ":5432", "::1:5432", "[db]:1", "a b:1", "db:+1", "/a\n:1", "u@db:1"] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic_or_print_control_characters(text in "\\PC{0,40}|[\\x00-\\x7f]{0,40}") {
            if let Err(error) = Address::parse(&text) {
                prop_assert!(!error.to_string().chars().any(char::is_control));
            }
        }
    }
}
