//! The steps `unsigned`, `charter`, `attest` and `no-task`.

use super::cast::filed;
use super::judge::openssl_reads;
use super::stage::Stage;
use super::trouble::{Result, Trouble, must};

/// The owners of the charter's sections who are lacking, once alice has filed.
const OWNERS: [&str; 4] = ["bob", "carol", "dave", "erin"];
/// Everybody else who answers for a part of the estate.
const SIGNERS: [&str; 5] = ["bob", "carol", "dave", "erin", "frank"];
const SPIFFE_ID: &str = "spiffe://demo.example/prod/invoicer";

/// The estate is filed, and nobody has signed: the agent gets no document, and learns who must sign.
pub(super) fn unsigned(stage: &mut Stage) -> Result<String> {
    let estate = stage.estate()?;
    let cast = stage.cast()?;
    let change = filed(cast.writ("alice", &["apply", "-f", &estate, "-o", "json"])?)?;
    let said = stage.agent.writ(&["svid"])?.with(4)?;
    must(!stage.agent.file("svid.pem").exists(), || "the agent has a document all the same".to_owned())?;
    let told = cast.spelt(&said.err)?;
    for owner in OWNERS {
        must(told.contains(owner), || format!("the refusal does not name {owner}, who must sign: {told}"))?;
    }
    stage.change = Some(change);
    Ok(format!("uid {} is refused a document: {}", stage.world.acting_uid(), brief(&told)))
}

/// What is wrong and who can mend it, without the parts one by one.
fn brief(told: &str) -> String {
    let line = told.lines().next().unwrap_or_default().trim_start_matches("error: ");
    let what = line.split_once(": missing").map_or(line, |(what, _)| what);
    let who = line.split_once("(who can: ").and_then(|(_, who)| who.split_once(')')).map_or("", |(who, _)| who);
    let mut who: Vec<&str> = who.split(", ").collect();
    who.sort_unstable();
    format!("{what}; who can sign: {}", who.join(", "))
}

/// Everybody who answers signs the same change set, once.
pub(super) fn charter(stage: &mut Stage) -> Result<String> {
    let change = stage.change.clone().ok_or_else(|| Trouble::new("there is no change set"))?;
    stage.cast()?.sign_all(&SIGNERS, &change)?;
    Ok(format!("one signature each by alice, {}: the estate is in force", SIGNERS.join(", ")))
}

/// The agent attests itself, and OpenSSL judges what it got.
pub(super) fn attest(stage: &mut Stage) -> Result<String> {
    stage.agent.writ(&["svid"])?.well()?;
    let uri = openssl_reads(&stage.agent.file("bundle.pem"), &stage.agent.file("svid.pem"))?;
    must(uri == SPIFFE_ID, || format!("OpenSSL reads `{uri}`, not `{SPIFFE_ID}`"))?;
    Ok(format!("OpenSSL verifies the certificate of uid {} and reads {uri}", stage.world.acting_uid()))
}

/// To be somebody is not to be allowed something.
pub(super) fn no_task(stage: &mut Stage) -> Result<String> {
    let said = stage.agent.writ(&["run", "--resource", "billing-db", "--actions", "read", "--", "touch", "ran"])?.with(4)?;
    let said = said.saying("no-task")?;
    must(!stage.agent.file("ran").exists(), || "the command ran all the same".to_owned())?;
    if stage.has_cluster() {
        no_users(stage)?;
    }
    Ok(format!("exit 4, and the command did not run: {}", said.complaint()))
}

/// That the superuser finds no task's user.
pub(super) fn no_users(stage: &Stage) -> Result<()> {
    let users = stage.cluster()?.users()?;
    must(users == 0, || format!("the superuser finds {users} task users"))
}
