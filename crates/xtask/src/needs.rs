//! What a machine must have before anything is built: looked for first, said in words, installed where that is possible.

use crate::run;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Something that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Need {
    /// What it is, in words.
    pub(crate) what: &'static str,
    /// The Debian packages that bring it.
    packages: &'static [&'static str],
    /// False where the demo can leave out the part that needs it.
    pub(crate) hard: bool,
}

const LINKER: Need = Need { what: "a C compiler (cc)", packages: &["gcc", "libc6-dev"], hard: true };
const SSH: Need = Need { what: "ssh-keygen", packages: &["openssh-client"], hard: true };
const OPENSSL: Need = Need { what: "openssl", packages: &["openssl"], hard: false };
const POSTGRES: Need =
    Need { what: "PostgreSQL's programs (initdb, postgres, psql)", packages: &["postgresql-common", "postgresql"], hard: false };
/// From 1.21 on Go fetches by itself the version that a module asks for. Debian 12's own is older.
const GO: Need = Need { what: "Go 1.21 or newer (Debian 13's, or the one from go.dev)", packages: &["golang-go"], hard: true };
const GO_VERSION_MIN: (u32, u32) = (1, 21);

/// For whom the machine is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum For {
    /// All that CI runs, other people's judges among it.
    Test,
    /// The demo, which says what it leaves out.
    Demo,
}

/// Looks for what is missing, installs it where this is Debian and we are root, and returns what is still missing.
pub(crate) fn provide(purpose: For) -> Result<Vec<Need>, String> {
    let lacking = missing(purpose);
    if lacking.is_empty() {
        return Ok(lacking);
    }
    for need in &lacking {
        eprintln!("missing: {}", need.what);
    }
    let steps = install(&lacking);
    if !is_root() || !on_path("apt-get") {
        let why = if on_path("apt-get") { "not root" } else { "not Debian" };
        eprintln!("nothing is installed ({why}); what it takes, as root on Debian:\n  {}", shell(&steps));
        return Ok(lacking);
    }
    eprintln!("installing it now, which takes about a minute; no database cluster is created:\n  {}", shell(&steps));
    for step in &steps {
        let [program, arguments @ ..] = step.as_slice() else { continue };
        let status = run::status(run::command(Path::new("/"), program, arguments).env("DEBIAN_FRONTEND", "noninteractive"))?;
        if !status.success() {
            eprintln!("{}: {status}", step.join(" "));
        }
    }
    Ok(missing(purpose))
}

fn missing(purpose: For) -> Vec<Need> {
    let mut out = Vec::new();
    let mut want = |there: bool, need: Need| {
        if !there {
            out.push(need);
        }
    };
    want(on_path("cc"), LINKER);
    want(on_path("ssh-keygen"), SSH);
    want(on_path("openssl"), OPENSSL);
    want(postgres(), POSTGRES);
    want(purpose == For::Demo || go().is_some_and(|go| go_version(&go) >= Some(GO_VERSION_MIN)), GO);
    out
}

/// The commands that install what is lacking, in order. `postgresql-common` comes first and by itself, so that its
/// switch can be set before the server's package would create and start a cluster.
fn install(lacking: &[Need]) -> Vec<Vec<&'static str>> {
    let mut packages: Vec<&str> = lacking.iter().flat_map(|need| need.packages).copied().collect();
    let mut steps = vec![vec!["apt-get", "update"]];
    if packages.contains(&"postgresql-common") {
        packages.retain(|package| *package != "postgresql-common");
        steps.push(vec!["apt-get", "install", "-y", "--no-install-recommends", "postgresql-common"]);
        let no_cluster = "s/^#*create_main_cluster.*/create_main_cluster = false/";
        steps.push(vec!["sed", "-i", no_cluster, "/etc/postgresql-common/createcluster.conf"]);
    }
    steps.push(["apt-get", "install", "-y", "--no-install-recommends"].into_iter().chain(packages).collect());
    steps
}

fn shell(steps: &[Vec<&str>]) -> String {
    let quoted = |word: &&str| if word.contains([' ', '*', '#']) { format!("'{word}'") } else { (*word).to_owned() };
    let step = |step: &Vec<&str>| step.iter().map(quoted).collect::<Vec<_>>().join(" ");
    steps.iter().map(step).collect::<Vec<_>>().join(" && ")
}

/// True where some version of PostgreSQL's server lies where Debian puts it, off the path, or on the path.
fn postgres() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let mut folders = versions.map(|version| version.path().join("bin"));
    folders.any(|bin| ["initdb", "postgres", "psql"].iter().all(|name| bin.join(name).is_file()))
        || ["initdb", "postgres", "psql"].iter().all(|name| on_path(name))
}

/// The Go program: on the path, or where its own installer puts it.
pub(crate) fn go() -> Option<PathBuf> {
    find("go").or_else(|| Some(PathBuf::from("/usr/local/go/bin/go")).filter(|path| path.is_file()))
}

fn go_version(go: &Path) -> Option<(u32, u32)> {
    let output = Command::new(go).arg("version").output().ok()?;
    version_of(&String::from_utf8_lossy(&output.stdout))
}

/// The version in `go version go1.26.8 linux/amd64`.
fn version_of(line: &str) -> Option<(u32, u32)> {
    let mut parts = line.split_whitespace().nth(2)?.strip_prefix("go")?.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn on_path(program: &str) -> bool {
    find(program).is_some()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| file.is_file())
}

/// By `id -u`, which is there wherever a shell is.
fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout == b"0\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn postgresql_is_installed_only_after_its_cluster_is_switched_off() {
        let steps = install(&[POSTGRES, OPENSSL]);
        let line = shell(&steps);
        let at = |text: &str| line.find(text).unwrap_or_else(|| panic!("{text}: {line}"));
        assert!(at("apt-get update") < at("-y --no-install-recommends postgresql-common"));
        assert!(at("postgresql-common &&") < at("create_main_cluster = false"));
        assert!(at("create_main_cluster = false") < at("install -y --no-install-recommends postgresql openssl"));
    }

    #[test]
    fn without_postgresql_one_install_is_enough() {
        assert_eq!(shell(&install(&[SSH])), "apt-get update && apt-get install -y --no-install-recommends openssh-client");
    }

    #[test]
    fn an_old_go_is_not_enough() {
        assert_eq!(version_of("go version go1.26.8 linux/amd64\n"), Some((1, 26)));
        assert!(version_of("go version go1.19 linux/amd64") < Some(GO_VERSION_MIN));
        assert!(version_of("go: command not found") < Some(GO_VERSION_MIN));
    }
}
