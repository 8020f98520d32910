//! The steps `init`, `postgres` and `people`.

use super::cast::{Cast, FOUNDERS, OTHERS, filed};
use super::cluster::{Cluster, Programs};
use super::estate::{APPLICATION, TABLE};
use super::judge::{Signed, fingerprint, ssh_keygen_accepts};
use super::program::{run, text};
use super::stage::Stage;
use super::trouble::{Result, Trouble, must};
use serde_json::Value;
use writ_types::canonical;

/// What the connector's login tries, and must not get.
const FORBIDDEN: [(&str, &str); 6] = [
    ("CREATE ROLE", "CREATE ROLE mine LOGIN"),
    ("CREATE DATABASE", "CREATE DATABASE mine"),
    ("SET ROLE postgres", "SET ROLE postgres"),
    ("GRANT app_rw", "GRANT app_rw TO writ_connector"),
    ("COPY TO PROGRAM", "COPY (SELECT 1) TO PROGRAM 'true'"),
    ("reading invoices", "SELECT * FROM app.invoice"),
];

/// Two founders open the trust domain with keys that `ssh-keygen` made.
pub(super) fn init(stage: &mut Stage) -> Result<String> {
    let world = stage.world.clone();
    let cast = Cast::make(&world)?;
    let mut init = cast.command("alice", &["init", "--trust-domain", "demo.example", "-o", "json", "--dir"]);
    init.arg(world.server());
    for name in FOUNDERS {
        init.arg("--founder").arg(format!("{name}={}", cast.public(name).display()));
        init.arg("--key").arg(format!("{name}={}", cast.key(name).display()));
    }
    let genesis = text(&run(&mut init)?.well()?.json()?, "/genesis")?;
    let opened = world.path("out/genesis");
    let mut export = cast.command("alice", &["log", "export", "--dir"]);
    run(export.arg(world.server()).arg(&opened))?.well()?;
    // It verifies without `--dev`: the genesis is no development domain's.
    run(cast.command("alice", &["log", "verify", "--genesis", &genesis]).arg(&opened))?.well()?;
    let entry = first_entry(&opened)?;
    for (place, name) in FOUNDERS.into_iter().enumerate() {
        let statement = entry.pointer(&format!("/acts/{place}/statement")).cloned().unwrap_or_default();
        let message = canonical(&statement).map_err(|error| Trouble::new(error.to_string()))?;
        let (public, signature) = (cast.public_line(name)?, text(&entry, &format!("/acts/{place}/sshsig"))?);
        let signed =
            Signed { signer: name, public: &public, namespace: "writ.genesis", message: &message, signature: &signature };
        ssh_keygen_accepts(&world, &signed)?;
    }
    stage.found(cast, genesis.clone());
    Ok(format!("alice and bob signed the genesis {genesis}; ssh-keygen accepts both signatures"))
}

/// The first entry of an exported log: a bundle is entries, each after its length in two bytes (C2SP tlog-tiles).
fn first_entry(log: &std::path::Path) -> Result<Value> {
    let bundles = log.join("tile/entries/000.p");
    let wrong = |error: std::io::Error| Trouble::file(&bundles, &error);
    let bundle = std::fs::read_dir(&bundles).map_err(wrong)?.flatten().next();
    let bytes = bundle.map(|file| std::fs::read(file.path())).transpose().map_err(wrong)?.unwrap_or_default();
    let entry = bytes.split_first_chunk::<2>().and_then(|(length, rest)| rest.get(..usize::from(u16::from_be_bytes(*length))));
    serde_json::from_slice(entry.unwrap_or_default()).map_err(|error| Trouble::new(format!("the genesis entry: {error}")))
}

/// A cluster with an application in it; its DBA installs the connector's functions.
pub(super) fn postgres(stage: &mut Stage) -> Result<String> {
    let world = stage.world.clone();
    let cluster = Cluster::start(&world, Programs::find(world.own_uid).map_err(Trouble::new)?)?;
    cluster.psql("postgres", APPLICATION)?;
    cluster.psql("billing", TABLE)?;
    stage.connect(cluster);
    let estate = stage.estate()?;
    let mut connect = stage.cast()?.command("alice", &["connect", "postgres", "sql", "-f", &estate, "--dir"]);
    let script = run(connect.arg(world.server()))?.well()?.out;
    let cluster = stage.cluster()?;
    cluster.psql("billing", &script)?;
    let passfile = world.server().join("connect/billing-db.pass");
    let connector = |sql: &str| cluster.psql_as("writ_connector", &passfile, "billing", sql);
    let who = connector("SELECT session_user")?.well()?.out;
    must(who == "writ_connector", || format!("the connector's login is `{who}`"))?;
    for (what, sql) in FORBIDDEN {
        let said = connector(sql)?;
        must(said.code != Some(0) && said.err.contains("ERROR"), || format!("the connector's login may do this: {what}"))?;
    }
    let rights = "SELECT count(*) FROM pg_roles r WHERE rolname = 'writ_connector' AND (rolsuper OR rolcreaterole OR rolcreatedb
                  OR rolreplication OR rolbypassrls OR EXISTS (SELECT FROM pg_auth_members m WHERE m.member = r.oid))";
    let rights = cluster.psql("postgres", rights)?;
    must(rights == "0", || "the connector's login has an attribute or a membership".to_owned())?;
    let version = cluster.psql("postgres", "SHOW server_version")?;
    let version = version.split_whitespace().next().unwrap_or_default().to_owned();
    let refused: Vec<&str> = FORBIDDEN.iter().map(|(what, _)| *what).collect();
    Ok(format!("PostgreSQL {version}: `writ_connector` logs in, and the database refuses it {}", refused.join(", ")))
}

/// Four people are enrolled by two founders and by their own keys; everybody logs in.
pub(super) fn people(stage: &mut Stage) -> Result<String> {
    stage.serve(None)?;
    let (cast, genesis) = (stage.cast()?, stage.genesis()?);
    for name in FOUNDERS {
        cast.login(name, genesis)?;
    }
    for name in OTHERS {
        let public = cast.public(name).display().to_string();
        let added = cast.writ("alice", &["party", "add", name, "--type", "person", "-o", "json"])?;
        cast.sign_all(&["bob"], &filed(added)?)?;
        let enrolled = cast.writ("alice", &["key", "enrol", name, "--pub", &public, "-o", "json"])?;
        cast.sign_all(&["bob", name], &filed(enrolled)?)?;
        cast.login(name, genesis)?;
    }
    let keys = cast.writ("alice", &["key", "list", "-o", "json"])?.well()?.json()?;
    let known = |print: &str| {
        keys.as_array().into_iter().flatten().any(|key| key.get("fingerprint").and_then(Value::as_str) == Some(print))
    };
    for name in FOUNDERS.iter().chain(&OTHERS) {
        let print = fingerprint(&cast.public(name))?;
        must(known(&print), || format!("the key {print} of {name} is not enrolled"))?;
    }
    Ok("carol, dave, erin and frank: each enrolled by alice, bob and the new key; ssh-keygen prints the same six fingerprints"
        .to_owned())
}
