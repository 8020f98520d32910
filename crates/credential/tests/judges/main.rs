//! Foreign judges: OpenSSH and OpenSSL accept what is laid out here, and refuse what is refused here.

#[cfg(test)]
mod openssl;
#[cfg(test)]
mod program;
#[cfg(test)]
mod ssh_keygen;
