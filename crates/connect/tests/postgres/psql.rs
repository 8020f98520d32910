//! A real psql that an agent runs.

use crate::world::{Task, World};
use std::process::Stdio;
use std::time::Duration;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::timeout;

/// A psql child with its pipes.
pub(crate) struct Psql {
    child: Child,
    stdin: ChildStdin,
    lines: Lines<BufReader<ChildStdout>>,
}

const PATIENCE: Duration = Duration::from_secs(20);

/// The command of a task's psql, errors on standard output.
pub(crate) fn command(world: &World, task: &Task, database: &str) -> Command {
    command_as(world, task.user(), &task.password, database)
}

/// The command of a login's psql, errors on standard output.
pub(crate) fn command_as(world: &World, user: &str, password: &str, database: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", "exec psql -X -q -A -t -d \"$0\" 2>&1", database])
        .env("PGHOST", "127.0.0.1")
        .env("PGPORT", world.cluster.port().to_string())
        .env("PGUSER", user)
        .env("PGPASSWORD", password)
        .env("LC_ALL", "C")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true);
    command
}

impl Psql {
    /// Starts one; it connects by itself, so ask it something.
    pub(crate) fn start(world: &World, task: &Task, database: &str) -> Self {
        Self::run(command(world, task, database))
    }

    /// Starts one from a command.
    pub(crate) fn run(mut command: Command) -> Self {
        let mut child = command.spawn().expect("psql runs");
        let stdin = child.stdin.take().expect("a pipe");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        Self { child, stdin, lines }
    }

    /// Starts one that is connected.
    pub(crate) async fn connected(world: &World, task: &Task, database: &str) -> Self {
        let mut psql = Self::start(world, task, database);
        assert_eq!(psql.ask("SELECT session_user;").await, task.user(), "it logs in");
        psql
    }

    /// Says something without waiting for the answer.
    pub(crate) async fn say(&mut self, sql: &str) {
        // A psql whose session is gone reads no more.
        let _ = self.stdin.write_all(format!("{sql}\n").as_bytes()).await;
        let _ = self.stdin.flush().await;
    }

    /// Says something and gives all that it prints, errors too.
    pub(crate) async fn ask(&mut self, sql: &str) -> String {
        self.say(&format!("{sql}\n\\echo == done ==")).await;
        let mut answer = Vec::new();
        loop {
            match timeout(PATIENCE, self.lines.next_line()).await.expect("psql answers").expect("psql's output") {
                Some(line) if line == "== done ==" => return answer.join("\n"),
                Some(line) => answer.push(line),
                None => return answer.join("\n"),
            }
        }
    }

    /// Says something that has to work.
    pub(crate) async fn must(&mut self, sql: &str) -> String {
        let answer = self.ask(sql).await;
        assert!(!answer.contains("ERROR") && !answer.contains("FATAL") && !answer.contains("error:"), "{sql}: {answer}");
        answer
    }

    /// All that it prints until it ends.
    pub(crate) async fn rest(mut self) -> String {
        drop(self.stdin);
        let mut answer = Vec::new();
        while let Some(line) = timeout(PATIENCE, self.lines.next_line()).await.expect("psql ends").expect("psql's output") {
            answer.push(line);
        }
        let _ = timeout(PATIENCE, self.child.wait()).await.expect("psql ends");
        answer.join("\n")
    }
}
