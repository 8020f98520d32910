//! Other people's programs that judge: `ssh-keygen` and OpenSSL. (The superuser's psql is the cluster's.)

use super::program::{Said, fed, run};
use super::trouble::{Result, Trouble, must};
use super::world::World;
use std::path::Path;
use std::process::Command;

/// A signature that `ssh-keygen -Y verify` is to judge.
#[derive(Debug, Clone)]
pub(super) struct Signed<'a> {
    /// Whose key it is to be.
    pub(super) signer: &'a str,
    /// That key, as `ssh-keygen` wrote it when it made it.
    pub(super) public: &'a str,
    pub(super) namespace: &'a str,
    pub(super) message: &'a [u8],
    pub(super) signature: &'a str,
}

/// That `ssh-keygen` accepts it, and neither another message nor another namespace.
pub(super) fn ssh_keygen_accepts(world: &World, signed: &Signed<'_>) -> Result<()> {
    let good = verify(world, signed)?.well()?;
    good.saying(&format!("Good \"{}\" signature for {}", signed.namespace, signed.signer))?;
    let other = [signed.message, b" "].concat();
    let altered = verify(world, &Signed { message: &other, ..signed.clone() })?;
    must(altered.code != Some(0), || "`ssh-keygen` accepts the signature over another message too".to_owned())?;
    let elsewhere = verify(world, &Signed { namespace: "git", ..signed.clone() })?;
    must(elsewhere.code != Some(0), || "`ssh-keygen` accepts the signature in another namespace too".to_owned())
}

fn verify(world: &World, signed: &Signed<'_>) -> Result<Said> {
    let (allowed, signature) = (world.path("out/allowed_signers"), world.path("out/signature"));
    let line = format!("{} {}\n", signed.signer, signed.public);
    for (path, text) in [(&allowed, line.as_str()), (&signature, signed.signature)] {
        std::fs::write(path, text).map_err(|error| Trouble::file(path, &error))?;
    }
    let mut judge = Command::new("ssh-keygen");
    judge.args(["-Y", "verify", "-n", signed.namespace, "-I", signed.signer, "-f"]).arg(&allowed).arg("-s").arg(&signature);
    fed(&mut judge, signed.message)
}

/// What `ssh-keygen` calls a public key: `SHA256:…`.
pub(super) fn fingerprint(public: &Path) -> Result<String> {
    let said = run(Command::new("ssh-keygen").arg("-l").arg("-f").arg(public))?.well()?;
    let print = said.out.split_whitespace().nth(1).map(str::to_owned);
    print.ok_or_else(|| Trouble::new("`ssh-keygen -l` prints no fingerprint"))
}

/// The URI that OpenSSL reads in a certificate which it has verified against this bundle.
pub(super) fn openssl_reads(bundle: &Path, certificate: &Path) -> Result<String> {
    let mut verify = Command::new("openssl");
    verify.args(["verify", "-x509_strict", "-purpose", "sslclient", "-CAfile"]).arg(bundle).arg(certificate);
    run(&mut verify)?.well()?.saying(": OK")?;
    let mut read = Command::new("openssl");
    let said = run(read.args(["x509", "-noout", "-ext", "subjectAltName", "-in"]).arg(certificate))?.well()?;
    let uri = said.out.split_whitespace().find_map(|word| word.strip_prefix("URI:")).map(str::to_owned);
    uri.ok_or_else(|| Trouble::new(format!("OpenSSL reads no URI in the certificate: {}", said.out)))
}
