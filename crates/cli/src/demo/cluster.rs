//! A PostgreSQL cluster of the demo's own. Its superuser judges; Writ never gets that login.

use super::program::{Said, fed, run, until};
use super::trouble::{Result, Trouble};
use super::world::World;
use std::fs::Permissions;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Where Debian and others put PostgreSQL's own programs, which are not on the path.
const LIBRARY: &str = "/usr/lib/postgresql";
const READY_WITHIN: Duration = Duration::from_secs(20);
const HBA: &str = "local all postgres trust\nlocal all all reject\nhost all all 127.0.0.1/32 scram-sha-256\n";

/// A running cluster.
#[derive(Debug)]
pub(super) struct Cluster {
    dir: PathBuf,
    bin: PathBuf,
    psql: PathBuf,
    port: u16,
    account: Option<(u32, u32)>,
}

/// What a cluster needs of the machine.
#[derive(Debug)]
pub(super) struct Programs {
    bin: PathBuf,
    psql: PathBuf,
    account: Option<(u32, u32)>,
}

impl Programs {
    /// The newest PostgreSQL of this machine, or what it lacks, in words.
    pub(super) fn find(own_uid: u32) -> std::result::Result<Self, String> {
        let bin = binaries().ok_or("PostgreSQL is not installed here (Debian: `postgresql`)")?;
        let on_path = on_path("psql");
        let psql =
            on_path.or_else(|| Some(bin.join("psql")).filter(|psql| psql.exists())).ok_or("`psql` is not installed here")?;
        if own_uid != 0 {
            return Ok(Self { bin, psql, account: None });
        }
        // PostgreSQL refuses root.
        let account = account("postgres").or_else(|| account("nobody"));
        let account = account.ok_or("PostgreSQL refuses root, and there is no account `postgres` or `nobody`")?;
        Ok(Self { bin, psql, account: Some(account) })
    }
}

impl Cluster {
    /// Makes and starts one in the world's `pg`.
    pub(super) fn start(world: &World, programs: Programs) -> Result<Self> {
        let Programs { bin, psql, account } = programs;
        let dir = world.path("pg");
        for (path, mode) in [(dir.clone(), 0o711), (dir.join("data"), 0o700), (dir.join("socket"), 0o711)] {
            std::fs::create_dir(&path).map_err(|error| Trouble::file(&path, &error))?;
            std::fs::set_permissions(&path, Permissions::from_mode(mode)).map_err(|error| Trouble::file(&path, &error))?;
            if let Some((uid, gid)) = account {
                chown(&path, Some(uid), Some(gid)).map_err(|error| Trouble::file(&path, &error))?;
            }
        }
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr());
        let port = port.map_err(|error| Trouble::new(format!("no free port: {error}")))?.port();
        let cluster = Self { dir, bin, psql, port, account };
        let mut init = cluster.owned(&cluster.bin.join("initdb"));
        init.args(["--no-sync", "--no-instructions", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "-D"]);
        run(init.arg(cluster.data()))?.well()?;
        let hba = cluster.data().join("pg_hba.conf");
        std::fs::write(&hba, HBA).map_err(|error| Trouble::file(&hba, &error))?;
        cluster.launch()?;
        Ok(cluster)
    }

    fn launch(&self) -> Result<()> {
        let path = self.dir.join("log");
        let log = std::fs::File::create(&path).map_err(|error| Trouble::file(&path, &error))?;
        let mut server = self.owned(&self.bin.join("postgres"));
        server.arg("-D").arg(self.data()).arg("-k").arg(self.socket()).args(["-p", &self.port.to_string()]);
        for setting in ["listen_addresses=127.0.0.1", "max_connections=60", "log_statement=all"] {
            server.args(["-c", setting]);
        }
        server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0);
        let mut server = server.spawn().map_err(|error| Trouble::new(format!("can't run `postgres`: {error}")))?;
        // The world's watchdog ends it; this only keeps it from staying a zombie.
        std::thread::spawn(move || server.wait());
        until("PostgreSQL answers", READY_WITHIN, || Ok(self.try_psql("postgres", "SELECT 1")?.code.filter(|code| *code == 0)))?;
        Ok(())
    }

    pub(super) const fn port(&self) -> u16 {
        self.port
    }

    /// What the superuser's psql prints, unaligned, without headers.
    pub(super) fn psql(&self, database: &str, sql: &str) -> Result<String> {
        Ok(self.try_psql(database, sql)?.well()?.out)
    }

    /// How many task users the superuser finds.
    pub(super) fn users(&self) -> Result<u32> {
        let users = self.psql("postgres", "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'writ\\_t\\_%'")?;
        users.parse().map_err(|_| Trouble::new(format!("the superuser's psql printed `{users}`")))
    }

    fn try_psql(&self, database: &str, sql: &str) -> Result<Said> {
        let mut command = self.owned(&self.psql);
        command.env("PGHOST", self.socket()).env("PGPORT", self.port.to_string()).env("PGUSER", "postgres");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"]);
        fed(&mut command, sql.as_bytes())
    }

    /// What a psql says that logs in with a passfile, over TCP.
    pub(super) fn psql_as(&self, user: &str, passfile: &Path, database: &str, sql: &str) -> Result<Said> {
        // Its account reads the passfile, which PostgreSQL's own may not.
        let mut command = Command::new(&self.psql);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
        command.env("PGHOST", "127.0.0.1").env("PGPORT", self.port.to_string()).env("PGUSER", user).env("PGPASSFILE", passfile);
        run(command.args(["-X", "-q", "-A", "-t", "-w", "-d", database, "-c", sql]))
    }

    fn data(&self) -> PathBuf {
        self.dir.join("data")
    }

    fn socket(&self) -> PathBuf {
        self.dir.join("socket")
    }

    /// A program that runs as PostgreSQL's account.
    fn owned(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command.env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C").current_dir(&self.dir);
        if let Some((uid, gid)) = self.account {
            command.uid(uid).gid(gid);
        }
        command
    }
}

fn binaries() -> Option<PathBuf> {
    let version = |entry: &std::fs::DirEntry| entry.file_name().to_str()?.parse::<u32>().ok();
    let entries = std::fs::read_dir(LIBRARY).into_iter().flatten().flatten();
    let found = entries.filter_map(|entry| Some((version(&entry)?, entry.path().join("bin"))));
    let newest = found.filter(|(_, bin)| bin.join("postgres").exists() && bin.join("initdb").exists()).max();
    newest
        .map(|(_, bin)| bin)
        .or_else(|| Some(on_path("initdb")?.parent()?.to_owned()).filter(|bin| bin.join("postgres").exists()))
}

fn on_path(program: &str) -> Option<PathBuf> {
    let paths = std::env::var_os("PATH")?;
    std::env::split_paths(&paths).map(|dir| dir.join(program)).find(|path| path.exists())
}

fn account(name: &str) -> Option<(u32, u32)> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut ids = line.split(':').skip(2).map_while(|id| id.parse().ok());
    Some((ids.next()?, ids.next()?))
}
