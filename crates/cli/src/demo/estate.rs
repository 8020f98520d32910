//! The estate of the demo: one production boundary, one agent, one database.

use super::world::AGENT_UIDS;

/// The files, as somebody would write them.
pub(super) fn yaml(agent_uid: u32, database: &str) -> String {
    // Under an account of its own, the agent's range is one that no other account has.
    let range = AGENT_UIDS;
    let range = if range.contains(&agent_uid) { format!("{}-{}", range.start, range.end - 1) } else { agent_uid.to_string() };
    format!(
        "kind: Party
metadata: {{name: finance}}
spec: {{type: team, members: [alice]}}
---
kind: Boundary
metadata: {{name: prod}}
spec:
  production: true
  delegators: team/finance
  owners:  {{control: alice, business: bob, identity: carol, platform: dave, security: erin}}
  backups: {{control: frank, business: alice, identity: dave, platform: carol, security: frank}}
  charter:
    business: {{purpose: close invoices, dataScope: [billing], tools: [billing-db]}}
    identity: {{kinds: [x509-svid, postgres-user], ttlMax: 1h, rotation: 30m, triggers: {{scope-exceeded: [writ]}}, misuse: kill-task}}
    platform: {{storage: memory, issuance: workload-api, telemetry: log, selectors: [\"unix:uid:{range}\"]}}
    security: {{policy: base, exceptions: none, auditEvery: 90d}}
---
kind: Identity
metadata: {{name: invoicer, boundary: prod}}
spec: {{actorKind: agent, autonomous: false, tier: standard, spiffePath: /prod/invoicer, selectors: [\"unix:uid:{agent_uid}\"]}}
---
kind: Resource
metadata: {{name: billing-db, boundary: prod}}
spec:
  kind: postgres
  tier: standard
  dataClass: confidential
  address: \"{database}\"
  databases: [billing]
  actions: {{read: [app_ro], write: [app_rw]}}
"
    )
}

/// The application that was there before: its database, its groups and their rights, made by its DBA.
pub(super) const APPLICATION: &str = "CREATE ROLE app_ro; CREATE ROLE app_rw; CREATE DATABASE billing;";

/// The application's table.
pub(super) const TABLE: &str = "CREATE SCHEMA app;
    CREATE TABLE app.invoice (id integer GENERATED ALWAYS AS IDENTITY, what text, entered_by text DEFAULT session_user);
    INSERT INTO app.invoice (what, entered_by) SELECT 'invoice ' || n, 'before' FROM generate_series(1, 500) n;
    GRANT USAGE ON SCHEMA app TO app_ro, app_rw;
    GRANT SELECT ON app.invoice TO app_ro, app_rw;
    GRANT INSERT, UPDATE ON app.invoice TO app_rw;";
