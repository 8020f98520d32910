//! A trust domain that two founders opened, a billing database, and an agent whose charter is signed.

use crate::cluster::Cluster;
use rustix::process::{Pid, Resource, Rlimit, Signal, kill_process, prlimit};
use serde_json::Value;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;
use writ_types::{TextValue as _, Time};

/// The user that the agent runs as, where this process may choose.
const AGENT: u32 = 1_001;
/// A bound on waiting that only a hang reaches.
const SOON: Duration = Duration::from_secs(60);

/// Everything.
pub(crate) struct World {
    pub(crate) cluster: Cluster,
    place: TempDir,
    api: String,
    server: Option<Child>,
}

impl World {
    /// Opens the trust domain, puts the estate in force, installs the connector's functions and serves.
    pub(crate) fn new() -> Self {
        let cluster = Cluster::start(&[]);
        cluster.psql("postgres", "CREATE ROLE app_ro; CREATE ROLE app_rw; CREATE DATABASE billing;");
        cluster.psql(
            "billing",
            "CREATE SCHEMA app; CREATE TABLE app.invoice (id integer); INSERT INTO app.invoice VALUES (1), (2);
             GRANT USAGE ON SCHEMA app TO app_ro, app_rw; GRANT SELECT ON app.invoice TO app_ro, app_rw;
             GRANT INSERT ON app.invoice TO app_rw;",
        );
        let place = tempfile::Builder::new().prefix("writ-world-").tempdir().expect("a directory");
        std::fs::set_permissions(place.path(), std::fs::Permissions::from_mode(0o711)).expect("its mode");
        let port = TcpListener::bind("127.0.0.1:0").and_then(|socket| socket.local_addr()).expect("a free port").port();
        let mut world = Self { cluster, place, api: format!("127.0.0.1:{port}"), server: None };
        for person in ["alice", "bob"] {
            let key = world.at(person);
            let made = Command::new("ssh-keygen").args(["-q", "-t", "ed25519", "-N", "", "-C", person, "-f"]).arg(key).status();
            assert!(made.expect("ssh-keygen runs").success());
        }
        let founders =
            ["alice", "bob"].map(|name| (format!("{name}={}.pub", world.path(name)), format!("{name}={}", world.path(name))));
        let mut init = world.writ("alice");
        init.args(["init", "--dir", &world.path("dir"), "--trust-domain", "example.org"]);
        for (public, private) in &founders {
            init.args(["--founder", public, "--key", private]);
        }
        done(&mut init);
        world.serve();
        for person in ["alice", "bob"] {
            world.person(person, &["login"]);
        }
        world.estate();
        let script = world
            .writ("alice")
            .args(["connect", "postgres", "sql", "-f", &world.path("estate.yaml"), "--dir", &world.path("dir")])
            .output();
        let script = script.expect("writ runs");
        assert!(script.status.success(), "{}", text(&script.stderr));
        world.cluster.psql("postgres", &text(&script.stdout));
        world
    }

    /// Files the estate, and has both founders sign it.
    fn estate(&self) {
        let socket = self.cluster.socket();
        let estate = include_str!("estate.yaml")
            .replace("UID", &agent_uid().to_string())
            .replace("ADDRESS", &format!("{}:{}", socket.display(), self.cluster.port()));
        std::fs::write(self.at("estate.yaml"), estate).expect("the estate");
        let filed = self.person_may("alice", &["apply", "-f", &self.path("estate.yaml"), "-o", "json"]);
        assert_eq!(filed.status.code(), Some(5), "signatures are missing: {}", text(&filed.stderr));
        let filed: Value = serde_json::from_slice(&filed.stdout).expect("JSON");
        let change = filed.get("change").and_then(Value::as_str).expect("the change set").to_owned();
        self.person("bob", &["sign", &change, "--yes"]);
    }

    /// Starts the server and waits until it is ready.
    pub(crate) fn serve(&mut self) {
        let log = std::fs::File::options().create(true).append(true).open(self.at("server.log")).expect("a log");
        let mut serve = self.writ("server");
        serve.args(["serve", "--dir", &self.path("dir"), "--workload-socket", &self.path("workload.sock"), "--api", &self.api]);
        let mut server = serve.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("the server starts");
        let mut said = String::new();
        let mut out = BufReader::new(server.stdout.take().expect("a pipe"));
        out.read_line(&mut said).expect("the server speaks");
        assert_eq!(said, "ready\n", "{}", std::fs::read_to_string(self.at("server.log")).unwrap_or_default());
        self.server = Some(server);
    }

    /// `kill -9`.
    pub(crate) fn kill_server(&mut self) {
        let mut server = self.server.take().expect("a server");
        server.kill().expect("it can be killed");
        server.wait().expect("it has gone");
    }

    /// Tells the server to stop, and returns its exit code.
    pub(crate) fn stop_server(&mut self) -> Option<i32> {
        let mut server = self.server.take().expect("a server");
        tell(&server, Signal::TERM);
        until("the end of the server", || server.try_wait().expect("a child")).code()
    }

    /// What a person runs, with a home and a session of their own.
    pub(crate) fn person_may(&self, person: &str, arguments: &[&str]) -> Output {
        let key = self.path(person);
        let mut command = self.writ(person);
        command.args(arguments).args(["--dir", &self.path("dir"), "--key", &key]);
        command.output().expect("writ runs")
    }

    /// As [`World::person_may`], and it succeeds.
    pub(crate) fn person(&self, person: &str, arguments: &[&str]) -> String {
        let output = self.person_may(person, arguments);
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// What a person is told who only asks, as JSON.
    pub(crate) fn told(&self, person: &str, arguments: &[&str]) -> Value {
        let output = self.writ(person).args(arguments).args(["-o", "json"]).output().expect("writ runs");
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{arguments:?}: {}", text(&output.stderr)))
    }

    /// From now on no file of the server's can grow beyond so many bytes; none: as before.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let pid = self.server.as_ref().and_then(|server| i32::try_from(server.id()).ok()).and_then(Pid::from_raw);
        let limit = Rlimit { current: bytes, maximum: None };
        prlimit(pid, Resource::Fsize, limit).expect("a limit");
    }

    /// What the server says of itself.
    pub(crate) fn ready(&self) -> String {
        let mut stream = UnixStream::connect(self.at("dir").join("admin.sock")).expect("the socket");
        stream.write_all(b"GET /readyz HTTP/1.1\r\nhost: writ\r\nconnection: close\r\n\r\n").expect("a request");
        let mut said = String::new();
        stream.read_to_string(&mut said).expect("an answer");
        said.lines().last().unwrap_or_default().to_owned()
    }

    /// What Alice runs on the log that she exports: it holds.
    pub(crate) fn verify(&self) {
        let export = self.path("export");
        for arguments in [&["log", "export", &export][..], &["log", "verify", &export, "--laws"]] {
            done(self.writ("alice").args(arguments));
        }
    }

    /// Alice delegates: the task, not approved yet.
    pub(crate) fn request(&self, actions: &str, ttl: &str) -> String {
        let filed = self.request_may(actions, ttl);
        assert_eq!(filed.status.code(), Some(5), "an approval is missing: {}", text(&filed.stderr));
        let view: Value = serde_json::from_slice(&filed.stdout).expect("JSON");
        view.get("task").and_then(Value::as_str).expect("the task").to_owned()
    }

    /// As [`World::request`], whatever comes of it.
    pub(crate) fn request_may(&self, actions: &str, ttl: &str) -> Output {
        let grant = format!("billing-db={actions}");
        let arguments = ["--actor", "invoicer", "--purpose", "close invoices", "--resource", &grant, "--ttl", ttl, "-o", "json"];
        self.person_may("alice", &[&["task", "request"][..], &arguments].concat())
    }

    /// As [`World::request`], approved by Bob.
    pub(crate) fn approved(&self, actions: &str, ttl: &str) -> String {
        let task = self.request(actions, ttl);
        self.person("bob", &["task", "approve", &task, "--yes"]);
        task
    }

    /// The task as a person sees it.
    pub(crate) fn task(&self, task: &str) -> Value {
        let shown = self.person_may("alice", &["task", "show", task, "-o", "json"]);
        serde_json::from_slice(&shown.stdout).unwrap_or_else(|_| panic!("{}", text(&shown.stderr)))
    }

    /// What Alice reads, by her session.
    pub(crate) fn read(&self, arguments: &[&str]) -> String {
        let output = self.writ("alice").args(arguments).args(["--dir", &self.path("dir")]).output().expect("writ runs");
        assert!(output.status.success(), "{arguments:?}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    /// The tasks that stand there, as a person sees them.
    pub(crate) fn tasks(&self, state: &str) -> Vec<String> {
        let tasks: Vec<Value> = serde_json::from_str(&self.read(&["task", "list", "-o", "json"])).expect("JSON");
        let text = |task: &Value, member: &str| task.get(member).and_then(Value::as_str).map(str::to_owned);
        tasks.iter().filter(|task| text(task, "state").as_deref() == Some(state)).filter_map(|task| text(task, "task")).collect()
    }

    /// What the agent runs.
    pub(crate) fn agent(&self, arguments: &[&str]) -> Command {
        let mut command = self.writ("agent");
        command.args(arguments).env("SPIFFE_ENDPOINT_SOCKET", format!("unix://{}", self.path("workload.sock")));
        command.env("WRIT_API", &self.api).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if agent_uid() == AGENT {
            command.uid(AGENT).gid(AGENT);
        }
        command
    }

    /// `writ run` on the billing database in this task.
    pub(crate) fn run(&self, task: &str, command: &[&str]) -> Command {
        let mut run = self.agent(&["run", "--resource", "billing-db", "--task", task, "--"]);
        run.args(command);
        run
    }

    /// Task users that PostgreSQL still knows, and their sessions, as a superuser sees them.
    pub(crate) fn left(&self) -> String {
        self.cluster.psql(
            "postgres",
            "SELECT (SELECT count(*) FROM pg_roles WHERE rolname LIKE 'writ\\_t\\_%'), (SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'writ\\_t\\_%')",
        )
    }

    fn writ(&self, who: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_writ"));
        // Nothing of this process's own surroundings says where the agent is or what it may.
        for variable in ["XDG_RUNTIME_DIR", "WRIT_TASK", "WRIT_RUN_DIR", "SSH_AUTH_SOCK", "PGPASSWORD"] {
            command.env_remove(variable);
        }
        command.current_dir("/").env("HOME", self.at("homes").join(who)).env("XDG_STATE_HOME", self.at("homes").join(who));
        command
    }

    pub(crate) fn at(&self, name: &str) -> PathBuf {
        self.place.path().join(name)
    }

    fn path(&self, name: &str) -> String {
        self.at(name).display().to_string()
    }
}

impl Drop for World {
    #[expect(clippy::print_stderr, reason = "what the server said explains a test that failed")]
    fn drop(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill();
            let _ = server.wait();
        }
        if std::thread::panicking() {
            eprintln!("{}", std::fs::read_to_string(self.at("server.log")).unwrap_or_default());
        }
    }
}

/// The user that the agent runs as.
fn agent_uid() -> u32 {
    let own = tempfile::tempfile().and_then(|file| file.metadata()).expect("a file of one's own").uid();
    if own == 0 { AGENT } else { own }
}

fn done(command: &mut Command) {
    let output = command.output().expect("writ runs");
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Waits for something, within bounds.
#[expect(clippy::disallowed_methods, reason = "a bound on waiting")]
pub(crate) fn until<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let end = Instant::now() + SOON;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < end, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Sends a signal.
pub(crate) fn tell(child: &Child, signal: Signal) {
    let pid = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("a process");
    kill_process(pid, signal).expect("a signal");
}

/// What the command of `run` writes into a file, once it is whole.
pub(crate) fn line_of(run: &mut Child, path: &Path) -> String {
    let line = until(&format!("{}", path.display()), || {
        if let Some(status) = run.try_wait().expect("a child") {
            let mut said = String::new();
            run.stderr.take().map(|mut pipe| pipe.read_to_string(&mut said));
            panic!("{status} before `{}` was written: {said}", path.display());
        }
        std::fs::read_to_string(path).ok().filter(|text| text.ends_with('\n'))
    });
    line.trim().to_owned()
}

/// Waits for a child of the test's and takes what it said.
pub(crate) fn finish(mut child: Child) -> (Option<i32>, String, String) {
    let read = |pipe: Option<Box<dyn std::io::Read + Send>>| {
        std::thread::spawn(move || {
            let mut said = String::new();
            pipe.map(|mut pipe| pipe.read_to_string(&mut said));
            said
        })
    };
    let out = read(child.stdout.take().map(|pipe| Box::new(pipe) as _));
    let err = read(child.stderr.take().map(|pipe| Box::new(pipe) as _));
    let status = until("the end of the child", || child.try_wait().expect("a child"));
    (status.code(), out.join().expect("stdout"), err.join().expect("stderr"))
}

/// The wall clock.
#[expect(clippy::disallowed_methods, reason = "the server compares with the real clock")]
pub(crate) fn now() -> Time {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).expect("after 1970");
    Time::from_micros(u64::try_from(since.as_micros()).expect("before the year 500000"))
}

/// A time in JSON.
pub(crate) fn time(value: Option<&Value>) -> Time {
    Time::parse(value.and_then(Value::as_str).expect("a time")).expect("a time")
}
