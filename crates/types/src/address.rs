//! Where a cluster listens.

use crate::text::{is_bidi, through_text};
use crate::{ParseError, TextValue};
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::path::PathBuf;

/// The longest address: it stands in signed content and in entries, which are bounded.
const BYTES_MAX: usize = 255;

/// An address, without user, password or path.
///
/// Text: `host:port` with a lower-case name or an IPv4 address, `[v6]:port`, or a directory with the unix socket and port, `/dir:port`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    host: Host,
    port: u16,
}

/// The part before the port.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Host {
    /// A name or an IP address.
    Tcp(String),
    /// The directory of a unix socket.
    Unix(PathBuf),
}

impl Address {
    /// The part before the port.
    pub const fn host(&self) -> &Host {
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
    pub fn is_local(&self) -> bool {
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

impl TextValue for Address {
    const WANTED: &'static str = "an address";
    fn parse(text: &str) -> Result<Self, ParseError> {
        // What stands before an `@` may be a password: it is not repeated.
        if let Some((_, after)) = text.rsplit_once('@') {
            return Err(ParseError::new(after, Self::WANTED, "before it stood an `@`: a user or a password has no place here"));
        }
        let wrong = |why: &str| ParseError::new(text, Self::WANTED, why);
        if text.len() > BYTES_MAX {
            return Err(wrong("it is longer than 255 bytes"));
        }
        let (host, port) = text.rsplit_once(':').ok_or_else(|| wrong("it ends with a colon and a port"))?;
        let plain = port.bytes().all(|b| b.is_ascii_digit()) && !port.starts_with('0');
        let port = port.parse::<u16>().ok().filter(|_| plain).ok_or_else(|| wrong("the port is 1 to 65535"))?;
        if let Some(path) = host.strip_prefix('/') {
            return match directory(path) {
                true => Ok(Self { host: Host::Unix(PathBuf::from(host)), port }),
                false => Err(wrong("the directory has an empty, `.` or `..` part, or a character that can't be seen")),
            };
        }
        if let Some(v6) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let shortest = |ip: &Ipv6Addr| ip.to_string() == v6;
            let ip = v6.parse::<Ipv6Addr>().ok().filter(shortest);
            return match ip {
                Some(ip) => Ok(Self { host: Host::Tcp(ip.to_string()), port }),
                None => Err(wrong("in brackets stands an IPv6 address in its shortest form")),
            };
        }
        let fits = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-_".contains(&b);
        if host.is_empty() || !host.bytes().all(fits) {
            return Err(wrong("the host is a lower-case name, an IPv4 address, an IPv6 address in brackets or a directory"));
        }
        Ok(Self { host: Host::Tcp(host.to_owned()), port })
    }
}

/// A path without its first `/` that names one directory, in one form.
fn directory(path: &str) -> bool {
    path.split('/').all(|part| !matches!(part, "" | "." | "..")) && !path.chars().any(|c| c.is_control() || is_bidi(c))
}

through_text!(Address);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_form() {
        for text in ["db.internal:5432", "127.0.0.1:1", "[::1]:5432", "/run/postgresql:5432", "/run/with:colon:5432"] {
            assert_eq!(Address::parse(text).unwrap().to_string(), text);
        }
        for (text, local) in [("localhost:1", true), ("127.0.0.9:1", true), ("[::1]:1", true), ("/s:1", true), ("db:1", false)] {
            assert_eq!(Address::parse(text).unwrap().is_local(), local, "{text}");
        }
        let long = format!("{}:1", "a".repeat(254));
        for text in [
            "", "db", "db:", "db:0", "db:01", "db:70000", ":5432", "::1:5432", "[db]:1", "[127.0.0.1]:1", "[0:0::1]:1", "a b:1",
            "db:+1", "DB:1", "é:1", "db/x:1", "//db:1", "/:1", "/a/../b:1", "/a/:1", "/a\n:1", "/a\u{202e}:1", "db:1/x",
            "db:1?x", &long,
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    /// A password that was put into an address is not told to anybody.
    #[test]
    fn what_stands_before_an_at_is_not_repeated() {
        for text in ["u:secret@db:5432", "u@se@cret@db:5432", "postgres://u:secret@db:5432/x"] {
            let told = Address::parse(text).unwrap_err().to_string();
            assert!(told.contains("password") && !told.contains("secret") && !told.contains("se@"), "{told}");
        }
    }
}
