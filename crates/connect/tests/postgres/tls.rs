//! TLS: the resource's certificate authority is the only one that is trusted.

use crate::world::{NOTHING, World};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use writ_connect::ConnectError;
use writ_connect::postgres::{Address, Postgres, PostgresSettings};

/// R16: with the resource's `ca` the connection is TLS, to a server that it vouches for and to no other.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_server_that_the_ca_vouches_for_is_talked_to() {
    let world = World::start(&[]);
    let directory = tempfile::tempdir().expect("a directory");
    let (ours, others) = (authority(directory.path(), "ours"), authority(directory.path(), "others"));
    certificate(directory.path(), "ours", &world.cluster.data());
    world.cluster.psql("postgres", "ALTER SYSTEM SET ssl = on");
    world.cluster.psql("postgres", "SELECT pg_reload_conf()");
    let with = |ca: &str, address: String| {
        let address = Address::parse(&address).expect("an address");
        Postgres::new(PostgresSettings { address, ca: Some(ca.to_owned()), ..world.settings() }).expect("a connector")
    };
    let port = world.cluster.port();
    crate::world::eventually("TLS is on", || world.cluster.psql("postgres", "SHOW ssl") == "on").await;

    let connector = with(&ours, format!("localhost:{port}"));
    let task = world.task(&connector, &["app_ro"]).await;
    let encrypted =
        "SELECT count(*) > 0 FROM pg_stat_ssl s JOIN pg_stat_activity a USING (pid) WHERE s.ssl AND a.usename = 'writ_connector'";
    assert_eq!(world.cluster.psql("postgres", encrypted), "t");
    let proof = world.end(&connector, &task).await;
    assert!(proof.tidy, "{proof:#?}");
    assert_eq!(world.left(&task), NOTHING);

    for (what, connector) in [
        ("another authority", with(&others, format!("localhost:{port}"))),
        ("another name", with(&ours, format!("127.0.0.1:{port}"))),
    ] {
        let error = connector.doctor().await.expect_err(what);
        assert!(matches!(&error, ConnectError::Unreachable { cause, .. } if cause.contains("certificate")), "{what}: {error:?}");
    }
    let remote = Address::parse("db.internal:5432").expect("an address");
    let plain = Postgres::new(PostgresSettings { address: remote, ..world.settings() });
    assert!(matches!(plain, Err(ConnectError::Settings(_))), "another machine without TLS");
}

fn openssl(directory: &Path, arguments: &str) {
    let output = Command::new("openssl").args(arguments.split_whitespace()).current_dir(directory).output().expect("openssl");
    assert!(output.status.success(), "openssl {arguments}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A certificate authority; its certificate, PEM.
fn authority(directory: &Path, name: &str) -> String {
    openssl(
        directory,
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN={name} -keyout {name}.key -out {name}.pem"
        ),
    );
    std::fs::read_to_string(directory.join(format!("{name}.pem"))).expect("a certificate")
}

/// A certificate for `localhost`, where the server looks for it.
fn certificate(directory: &Path, authority: &str, data: &Path) {
    std::fs::write(directory.join("names"), "subjectAltName=DNS:localhost\n").expect("the names");
    openssl(
        directory,
        "req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout server.key -out server.csr",
    );
    openssl(
        directory,
        &format!(
            "x509 -req -in server.csr -CA {authority}.pem -CAkey {authority}.key -CAcreateserial -days 2 -extfile names -out server.crt"
        ),
    );
    let owner = std::os::unix::fs::MetadataExt::uid(&std::fs::metadata(data).expect("the data directory"));
    for file in ["server.key", "server.crt"] {
        let there = data.join(file);
        std::fs::copy(directory.join(file), &there).expect("a copy");
        std::os::unix::fs::chown(&there, Some(owner), None).expect("its owner");
        std::fs::set_permissions(&there, std::fs::Permissions::from_mode(0o600)).expect("its mode");
    }
}
