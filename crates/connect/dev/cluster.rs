//! A private PostgreSQL cluster for tests and benchmarks: its own directory, socket and port, every durability on.
//!
//! A watchdog ends it and removes its directory when this process has gone, however it went.

use std::io::Write as _;
use std::net::TcpListener;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

/// A running cluster. Its superuser is `postgres`, by the unix socket only.
pub(crate) struct Cluster {
    directory: PathBuf,
    bin: PathBuf,
    port: u16,
    account: Option<(u32, u32)>,
    watchdog: Child,
    settings: Vec<String>,
}

/// Ends the server in the directory `$1` and removes that, once this process has gone.
const WATCHDOG: &str = "read -r _; pid=$(head -n 1 \"$1/data/postmaster.pid\") && kill -QUIT \"$pid\"; \
                        while kill -0 \"$pid\"; do sleep 0.05; done; rm -rf \"$1\"";

/// Where Debian and others put PostgreSQL's own programs, which are not on the path.
const LIBRARY: &str = "/usr/lib/postgresql";

impl Cluster {
    /// Makes and starts one with these settings (`name=value`).
    pub(crate) fn start(settings: &[&str]) -> Self {
        let bin = programs();
        let account = account();
        let directory = tempfile::Builder::new().prefix("writ-pg-").tempdir().expect("a directory").keep();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o711)).expect("its mode");
        for part in ["data", "socket"] {
            std::fs::create_dir(directory.join(part)).expect("a directory");
            if let Some((uid, gid)) = account {
                chown(directory.join(part), Some(uid), Some(gid)).expect("a directory of postgres");
            }
        }
        let data = directory.join("data");
        std::fs::set_permissions(&data, std::fs::Permissions::from_mode(0o700)).expect("its mode");
        let mut init = owned(&bin.join("initdb"), account, &directory);
        init.args(["--no-sync", "--no-instructions", "-U", "postgres", "--auth=trust", "-E", "UTF8", "--locale=C", "-D"])
            .arg(&data);
        let made = init.output().expect("initdb runs");
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        let hba = "local all postgres trust\nlocal replication postgres trust\nlocal all all scram-sha-256\n\
                   host all all 127.0.0.1/32 scram-sha-256\nhostssl all all ::1/128 scram-sha-256\n";
        std::fs::write(data.join("pg_hba.conf"), hba).expect("pg_hba.conf");

        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        // `read` returns when the pipe closes, which it does when this process ends.
        let watchdog = Command::new("sh")
            .args(["-c", WATCHDOG, "watchdog"])
            .arg(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()
            .expect("a watchdog");
        let settings = settings.iter().map(ToString::to_string).collect();
        let cluster = Self { directory, bin, port, account, watchdog, settings };
        cluster.launch();
        cluster
    }

    /// Starts the server, again after [`Cluster::stop`].
    pub(crate) fn launch(&self) {
        let log = std::fs::File::options().create(true).append(true).open(self.log()).expect("a log");
        let mut server = owned(&self.bin.join("postgres"), self.account, &self.directory);
        server.arg("-D").arg(self.data()).arg("-k").arg(self.socket()).args(["-p", &self.port.to_string()]);
        let always = ["listen_addresses=localhost", "max_connections=150", "fsync=on"].map(String::from);
        for setting in always.iter().chain(&self.settings) {
            server.args(["-c", setting]);
        }
        let mut server =
            server.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).process_group(0).spawn().expect("postgres starts");
        // The server is the watchdog's to end; this only keeps it from staying a zombie.
        std::thread::spawn(move || server.wait());
        self.wait_until_ready();
    }

    /// Waits until it answers.
    pub(crate) fn wait_until_ready(&self) {
        for _ in 0..600 {
            if self.try_psql("postgres", "SELECT 1").status.success() {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        let log = std::fs::read_to_string(self.log()).unwrap_or_default();
        panic!("the cluster does not start: {log}");
    }

    /// The directory of the unix socket.
    pub(crate) fn socket(&self) -> PathBuf {
        self.directory.join("socket")
    }

    /// The port.
    pub(crate) const fn port(&self) -> u16 {
        self.port
    }

    /// The server's log.
    pub(crate) fn log(&self) -> PathBuf {
        self.directory.join("log")
    }

    /// One of PostgreSQL's programs, run as its account, connected to this cluster as its superuser.
    pub(crate) fn program(&self, name: &str) -> Command {
        let mut command = owned(&self.bin.join(name), self.account, &self.directory);
        command.env("PGHOST", self.socket()).env("PGPORT", self.port.to_string()).env("PGUSER", "postgres");
        command
    }

    /// What a superuser's psql prints, unaligned, without headers; it panics on an error.
    pub(crate) fn psql(&self, database: &str, sql: &str) -> String {
        let output = self.try_psql(database, sql);
        assert!(output.status.success(), "psql in {database}: {}\n{sql}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
    }

    /// A superuser's psql.
    pub(crate) fn try_psql(&self, database: &str, sql: &str) -> Output {
        let mut command = self.program("psql");
        command.args(["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", database, "-f", "-"]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("psql runs");
        // One that can't connect ends without reading; its status says so.
        let _ = child.stdin.take().expect("a pipe").write_all(sql.as_bytes());
        child.wait_with_output().expect("psql ends")
    }

    /// Stops it the hard way, as a power cut does, and waits until it has gone.
    pub(crate) fn stop(&self) {
        let stopped = self.program("pg_ctl").args(["stop", "-m", "immediate", "-D"]).arg(self.data()).output().expect("pg_ctl");
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
    }

    /// The data directory.
    pub(crate) fn data(&self) -> PathBuf {
        self.directory.join("data")
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        // The watchdog does its work now instead of at the end of the process.
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// A program that runs as PostgreSQL's account where this process is root, which PostgreSQL refuses.
fn owned(program: &Path, account: Option<(u32, u32)>, directory: &Path) -> Command {
    let mut command = Command::new(program);
    command.current_dir(directory).env("LC_ALL", "C").env_remove("PGPASSWORD").env_remove("PGSERVICE");
    if let Some((uid, gid)) = account {
        command.uid(uid).gid(gid);
    }
    command
}

/// The account to run PostgreSQL as, if this process is root.
fn account() -> Option<(u32, u32)> {
    use std::os::unix::fs::MetadataExt as _;
    // The owner of what this process makes is who it is.
    let probe = tempfile::tempfile().and_then(|file| file.metadata()).expect("a file of one's own");
    if probe.uid() != 0 {
        return None;
    }
    let accounts = std::fs::read_to_string("/etc/passwd").expect("the accounts");
    let line = accounts
        .lines()
        .find(|line| line.starts_with("postgres:"))
        .expect("PostgreSQL refuses root: it needs the account `postgres`");
    let mut ids = line.split(':').skip(2).map(|id| id.parse().expect("an account's number"));
    Some((ids.next()?, ids.next()?))
}

/// The newest PostgreSQL's programs.
fn programs() -> PathBuf {
    let mut found: Vec<(u32, PathBuf)> = std::fs::read_dir(LIBRARY)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| Some((entry.file_name().to_str()?.parse().ok()?, entry.path().join("bin"))))
        .filter(|(_, bin)| bin.join("postgres").exists())
        .collect();
    found.sort();
    let on_path = std::env::var_os("PATH").and_then(|paths| {
        std::env::split_paths(&paths).find(|path| path.join("postgres").exists() && path.join("initdb").exists())
    });
    found
        .pop()
        .map(|(_, bin)| bin)
        .or(on_path)
        .expect("PostgreSQL 15 or later (Debian: `postgresql`, with create_main_cluster=false)")
}
