//! Signing with a person's key, by `ssh-keygen -Y sign`, as git does: files, the agent, passphrases and security keys come with it.

use crate::failure::Failure;
use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;
use writ_credential::{PublicKey, sshsig};
use writ_types::ActKind;

/// Public keys and armoured signatures are shorter.
const FILE_BYTES_MAX: u64 = 16 * 1024;
/// How long a person has for a passphrase or a touch.
const WAIT: Duration = Duration::from_secs(120);
const POLL: Duration = Duration::from_millis(10);

/// A person's key: the file that `ssh-keygen` is given, and the public half.
#[derive(Debug, Clone)]
pub(crate) struct Signer {
    file: PathBuf,
    public: PublicKey,
}

impl Signer {
    /// The signer of a key file: a private key, or a public one whose private half an agent holds.
    pub(crate) fn of(file: &Path) -> Result<Self, Failure> {
        Ok(Self { file: file.to_owned(), public: public_of(file)? })
    }

    /// The key where none is named: the first of OpenSSH's own places.
    pub(crate) fn default_file() -> Option<PathBuf> {
        let ssh = PathBuf::from(std::env::var_os("HOME")?).join(".ssh");
        let names = ["id_ed25519", "id_ecdsa", "id_ed25519_sk", "id_ecdsa_sk"];
        names.iter().map(|name| ssh.join(name)).find(|path| path.is_file())
    }

    pub(crate) const fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn file(&self) -> &Path {
        &self.file
    }

    /// The armoured signature of this key over `message`, in the namespace of `act`.
    pub(crate) fn sign(&self, act: ActKind, message: &[u8]) -> Result<String, Failure> {
        let dir = tempfile::Builder::new()
            .prefix("writ-sign")
            .tempdir()
            .map_err(|error| Failure::file(&std::env::temp_dir(), &error))?;
        let path = dir.path().join("statement");
        std::fs::write(&path, message).map_err(|error| Failure::file(&path, &error))?;
        let terminal = std::io::stderr().is_terminal();
        let mut command = Command::new("ssh-keygen");
        command.args(["-Y", "sign", "-n", &act.namespace(), "-f"]).arg(&self.file).arg(&path);
        command.stdin(if terminal { Stdio::inherit() } else { Stdio::null() }).stdout(Stdio::null());
        command.stderr(if terminal { Stdio::inherit() } else { Stdio::piped() });
        let mut child = command.spawn().map_err(|error| no_ssh_keygen(&error))?;
        let status = within(&mut child, WAIT)?;
        if !status.success() {
            return Err(self.refused(&mut child));
        }
        let signature = read_text(&path.with_extension("sig"))?;
        self.check(act, message, &signature)?;
        Ok(signature)
    }

    /// Checks a signature that was made elsewhere.
    pub(crate) fn check(&self, act: ActKind, message: &[u8], signature: &str) -> Result<(), Failure> {
        check(&self.public, act, message, signature)
    }

    fn refused(&self, child: &mut Child) -> Failure {
        let mut said = String::new();
        if let Some(stderr) = child.stderr.as_mut() {
            // What it said is only for the message.
            let _ = stderr.take(2048).read_to_string(&mut said);
        }
        let said = said.lines().filter(|line| !line.starts_with("Signing file")).collect::<Vec<_>>().join("; ");
        let message = format!("`ssh-keygen` did not sign with `{}`: {}", self.file.display(), said.trim());
        Failure::failed(
            message.trim_end_matches(": ").to_owned(),
            "check that the key is yours and readable by you alone, or that `ssh-agent` holds it",
        )
    }
}

/// Checks that `signature` is `key`'s over `message` for `act`.
pub(crate) fn check(key: &PublicKey, act: ActKind, message: &[u8], signature: &str) -> Result<(), Failure> {
    sshsig::verify(key, &act.namespace(), message, signature)
        .map_err(|error| Failure::failed(error.to_string(), format!("sign with `ssh-keygen -Y sign -n {}`", act.namespace())))
}

/// Reads a small text file.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    let wrong = |error: std::io::Error| Failure::file(path, &error);
    let mut text = String::new();
    std::fs::File::open(path).map_err(wrong)?.take(FILE_BYTES_MAX).read_to_string(&mut text).map_err(wrong)?;
    Ok(text)
}

/// Reads a public key file.
pub(crate) fn read_public(path: &Path) -> Result<PublicKey, Failure> {
    let text = read_text(path)?;
    PublicKey::from_line(text.trim_end_matches(['\r', '\n'])).map_err(|error| {
        Failure::usage(
            format!("`{}`: {}", path.display(), error.why()),
            "name the `.pub` file of a key made by `ssh-keygen -t ed25519`",
        )
    })
}

/// The public half: of the file itself, of the `.pub` file beside it, or as `ssh-keygen -y` says it.
fn public_of(file: &Path) -> Result<PublicKey, Failure> {
    if file.extension().is_some_and(|extension| extension == "pub") {
        return read_public(file);
    }
    let mut beside = file.as_os_str().to_owned();
    beside.push(".pub");
    if Path::new(&beside).is_file() {
        return read_public(Path::new(&beside));
    }
    if !file.is_file() {
        return Err(Failure::usage(format!("`{}` is not a key file", file.display()), "name a key with `--key FILE`"));
    }
    let mut command = Command::new("ssh-keygen");
    command.arg("-y").arg("-f").arg(file).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().map_err(|error| no_ssh_keygen(&error))?;
    let status = within(&mut child, WAIT)?;
    let mut line = String::new();
    if let Some(stdout) = child.stdout.as_mut() {
        let _ = stdout.take(FILE_BYTES_MAX).read_to_string(&mut line);
    }
    if !status.success() {
        let message = format!("`ssh-keygen` can't read the key `{}`", file.display());
        return Err(Failure::usage(message, "put its `.pub` file beside it, or name another key"));
    }
    Ok(PublicKey::from_line(line.trim_end())?)
}

/// Waits for a child as long as a person may take.
fn within(child: &mut Child, limit: Duration) -> Result<ExitStatus, Failure> {
    let mut waited = Duration::ZERO;
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if waited < limit => std::thread::sleep(POLL),
            Ok(None) => {
                let _ = child.kill().and_then(|()| child.wait());
                return Err(Failure::failed("`ssh-keygen` did not answer within two minutes", "try again, and touch the key"));
            }
            Err(error) => return Err(no_ssh_keygen(&error)),
        }
        waited += POLL;
    }
}

fn no_ssh_keygen(error: &std::io::Error) -> Failure {
    Failure::failed(format!("can't run `ssh-keygen`: {error}"), "install OpenSSH's client, 8.2 or later")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Makes a key with stock `ssh-keygen`.
    pub(crate) fn keygen(dir: &Path, name: &str, kind: &str) -> PathBuf {
        let file = dir.join(name);
        let status =
            Command::new("ssh-keygen").args(["-q", "-N", "", "-t", kind, "-C", "test", "-f"]).arg(&file).status().unwrap();
        assert!(status.success());
        file
    }

    /// R72: a person signs with the key that she has, and nothing else can be made of the signature.
    #[test]
    fn ssh_keygen_signs_in_the_namespace_of_the_act() {
        let top = tempfile::tempdir().unwrap();
        for kind in ["ed25519", "ecdsa"] {
            let file = keygen(top.path(), kind, kind);
            let signer = Signer::of(&file).unwrap();
            let signature = signer.sign(ActKind::Change, b"{}").unwrap();
            assert_eq!(signer.check(ActKind::Change, b"{}", &signature), Ok(()));
            assert!(signer.check(ActKind::Approve, b"{}", &signature).is_err());
            assert!(signer.check(ActKind::Change, b"{ }", &signature).is_err());
            // Without its public half beside it, the key still says who it is.
            std::fs::remove_file(top.path().join(format!("{kind}.pub"))).unwrap();
            assert_eq!(Signer::of(&file).unwrap().public(), signer.public());
        }
    }

    #[test]
    fn what_is_no_key_is_named_with_a_next_step() {
        let top = tempfile::tempdir().unwrap();
        let file = top.path().join("key");
        assert!(Signer::of(&file).unwrap_err().message.contains("is not a key file"));
        std::fs::write(&file, "not a key").unwrap();
        assert!(!Signer::of(&file).unwrap_err().help.is_empty());
        let public = top.path().join("key.pub");
        std::fs::write(&public, "ssh-rsa AAAA comment").unwrap();
        assert!(Signer::of(&file).unwrap_err().message.contains("ssh-ed25519"));
        let real = keygen(top.path(), "real", "ed25519");
        std::fs::copy(top.path().join("real.pub"), &public).unwrap();
        std::fs::remove_file(real).unwrap();
        let failure = Signer::of(&file).unwrap().sign(ActKind::Change, b"{}").unwrap_err();
        assert!(failure.message.contains("did not sign"), "{failure:?}");
    }
}
