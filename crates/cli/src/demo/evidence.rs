//! The steps `why`, `ssh-keygen` and `laws`.

use super::judge::{Signed, ssh_keygen_accepts};
use super::program::{run, text};
use super::stage::Stage;
use super::trouble::{Result, Trouble, must};
use serde_json::Value;

/// Four scraps of one task lead to one story, and a certificate that was in no task tells none.
pub(super) fn why(stage: &mut Stage) -> Result<String> {
    let task = stage.second()?;
    let (scraps, named) = if task.user.is_empty() {
        (vec![task.id.clone()], "the task tells its story")
    } else {
        let pem = taken_out(stage, "acted.pem")?;
        (
            vec![pem, task.user.clone(), task.id.clone(), task.credential.clone()],
            "the PEM that the agent acted with, its database user, the task and the credential tell one story",
        )
    };
    let mut stories = Vec::new();
    for scrap in &scraps {
        let story = told(stage, scrap)?;
        let of = |place: &str| story.pointer(place).cloned().unwrap_or_default();
        stories.push([
            of("/delegated/by"),
            of("/approved"),
            of("/justified/decision"),
            of("/delegated/name"),
            of("/approved/0/name"),
        ]);
    }
    let first = stories.first().cloned().unwrap_or_default();
    must(first.first().is_some_and(Value::is_string), || "the story names no delegator".to_owned())?;
    for (scrap, story) in scraps.iter().zip(&stories) {
        must(*story == first, || format!("`{scrap}` tells another story"))?;
    }
    let name = |place: usize| first.get(place).and_then(Value::as_str).unwrap_or("nobody").to_owned();
    let idle = idle(stage)?;
    Ok(format!("{named}: delegated by {}, approved by {}, {}; {idle}", name(3), name(4), name(2)))
}

/// The story of a scrap, every entry of it proven.
fn told(stage: &Stage, scrap: &str) -> Result<Value> {
    let story = stage.cast()?.writ("alice", &["why", scrap, "-o", "json"])?.well()?.json()?;
    must(story.get("receipts_verified") == Some(&Value::Bool(true)), || format!("the story of `{scrap}` is not proven"))?;
    Ok(story)
}

/// A file of the agent's, where Alice can read it.
fn taken_out(stage: &Stage, name: &str) -> Result<String> {
    let (found, copy) = (stage.agent.file(name), stage.world.path(&format!("out/{name}")));
    std::fs::copy(&found, &copy).map_err(|error| Trouble::file(&found, &error))?;
    Ok(copy.display().to_string())
}

/// The certificate of the step `attest` was in no task: it says what was attested and by which decision, and nobody delegated.
fn idle(stage: &Stage) -> Result<String> {
    let story = told(stage, &taken_out(stage, "svid.pem")?)?;
    let none = |member: &str| story.get(member).is_some_and(|value| value.is_null() || *value == Value::Array(Vec::new()));
    for member in ["delegated", "approved", "purpose", "ended", "closure"] {
        must(none(member), || format!("a certificate that was in no task tells of one: `{member}`"))?;
    }
    let policy = text(&story, "/justified/policies/0/id")?;
    let attested = text(&story, "/acted/attested_by/0")?;
    must(policy == "identify" && !attested.is_empty(), || format!("the certificate is justified by `{policy}`"))?;
    Ok("the PEM of `attest`, which was in no task, tells no delegation".to_owned())
}

/// The approval is taken out of the log, and judged with the key that bob made.
pub(super) fn ssh_keygen(stage: &mut Stage) -> Result<String> {
    let (cast, world) = (stage.cast()?, &stage.world);
    let dir = world.path("out/why");
    let task = &stage.first()?.id;
    run(cast.command("alice", &["why", task, "-o", "json", "--export"]).arg(&dir))?.well()?;
    let read = |name: &str| std::fs::read(dir.join(name)).map_err(|error| Trouble::file(&dir.join(name), &error));
    let names = std::fs::read_dir(&dir).map_err(|error| Trouble::file(&dir, &error))?;
    let mut names = names.flatten().filter_map(|entry| entry.file_name().into_string().ok());
    let name = names.find(|name| name.ends_with("-approve.json"));
    let name = name.ok_or_else(|| Trouble::new("`writ why --export` wrote no approval"))?;
    let (message, signature) = (read(&name)?, read(&format!("{name}.sig"))?);
    let signature = String::from_utf8_lossy(&signature).into_owned();
    let public = cast.public_line("bob")?;
    let signed = Signed { signer: "bob", public: &public, namespace: "writ.approve", message: &message, signature: &signature };
    ssh_keygen_accepts(world, &signed)?;
    let statement: Value = serde_json::from_slice(&message).map_err(|error| Trouble::new(error.to_string()))?;
    Ok(format!(
        "Good \"writ.approve\" signature for bob over {}; another message or namespace is refused",
        text(&statement, "/digest")?
    ))
}

/// A stranger verifies the exported log offline: every signature, and every decision again.
pub(super) fn laws(stage: &mut Stage) -> Result<String> {
    let cast = stage.cast()?;
    run(cast.command("alice", &["log", "export"]).arg(&stage.export))?.well()?;
    let mut verify = cast.command("alice", &["log", "verify", "--laws", "-o", "json", "--genesis", stage.genesis()?]);
    let found = run(verify.arg(&stage.export))?;
    let report = found.json()?;
    let count = |name: &str| report.get(name).and_then(Value::as_u64).unwrap_or(0);
    let holds = report.get("ok") == Some(&Value::Bool(true)) && count("signatures") > 0 && count("decisions") > 0;
    must(holds, || format!("the log does not hold: {}", report.get("problems").cloned().unwrap_or_default()))?;
    found.well()?;
    let (entries, signatures, decisions) = (count("entries"), count("signatures"), count("decisions"));
    Ok(format!("{entries} entries, {signatures} signatures and {decisions} decisions hold, offline, from the pinned genesis"))
}
