//! The breaks that `cargo xtask mutate` makes, each with the test that must see it.

/// One break: in `file`, `find` (which stands there exactly once) becomes `replace`, and `test` of `package` reddens.
#[derive(Debug)]
pub(crate) struct Break {
    /// Its name, which says what is broken.
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) find: &'static str,
    pub(crate) replace: &'static str,
    /// The crate's folder name.
    pub(crate) package: &'static str,
    /// What `cargo test` builds of it: `LIB`, or `&["--test", NAME]`.
    pub(crate) target: &'static [&'static str],
    /// The test's whole name, as `cargo test` prints it.
    pub(crate) test: &'static str,
}

/// The tests inside a library.
const LIB: &[&str] = &["--lib"];

/// A check skipped, a phase left out, an answer before its sync, a gate reversed.
pub(crate) const TABLE: &[Break] = &[
    Break {
        name: "policy-imports-issue",
        file: "crates/policy/Cargo.toml",
        find: "writ-types.workspace = true\n",
        replace: "writ-types.workspace = true\nwrit-issue.workspace = true\n",
        package: "xtask",
        target: &["--bin", "xtask"],
        test: "graph::tests::this_workspace_has_only_edges_of_the_table",
    },
    Break {
        name: "canonical-members-sorted-by-utf8",
        file: "crates/types/src/canonical.rs",
        find: "a.encode_utf16().cmp(b.encode_utf16())",
        replace: "a.cmp(b)",
        package: "types",
        target: LIB,
        test: "canonical::tests::sorts_by_utf16_and_escapes_as_rfc_8785_does",
    },
    Break {
        name: "act-over-another-digest-counts",
        file: "crates/credential/src/act.rs",
        find: "    same(\"digest\", &expected.digest.to_string(), &statement.digest.to_string())?;\n",
        replace: "",
        package: "credential",
        target: LIB,
        test: "act::tests::an_act_over_anything_else_does_not",
    },
    Break {
        name: "expired-act-counts",
        file: "crates/credential/src/act.rs",
        find: "statement.expires <= now",
        replace: "statement.expires < now",
        package: "credential",
        target: LIB,
        test: "act::tests::an_act_counts_only_in_its_time",
    },
    Break {
        name: "signature-namespace-unchecked",
        file: "crates/credential/src/sshsig.rs",
        find: "|| found_namespace != namespace.as_bytes()",
        replace: "|| found_namespace.is_empty()",
        package: "credential",
        target: LIB,
        test: "act::tests::an_act_over_anything_else_does_not",
    },
    Break {
        name: "security-key-without-touch-counts",
        file: "crates/credential/src/sshsig.rs",
        find: "flags & 0x01 == 0",
        replace: "flags & 0x01 == 2",
        package: "credential",
        target: LIB,
        test: "sshsig::tests::a_security_key_without_a_touch_is_refused",
    },
    Break {
        name: "leaf-hash-without-its-prefix",
        file: "crates/ledger/src/tree.rs",
        find: "Digest::of_parts(&[&[0], entry])",
        replace: "Digest::of_parts(&[&[1], entry])",
        package: "ledger",
        target: LIB,
        test: "tree::tests::the_hashes_are_those_of_rfc_6962",
    },
    Break {
        name: "entry-time-may-step-back",
        file: "crates/ledger/src/verify.rs",
        find: "if entry.at < last {",
        replace: "if entry.at < last && entry.epoch < epoch {",
        package: "ledger",
        target: LIB,
        test: "verify::tests::what_does_not_follow_is_named",
    },
    Break {
        name: "consistency-with-another-old-tree",
        file: "crates/ledger/src/proof.rs",
        find: "if old_hash == *old_root && hash == *root",
        replace: "if hash == *root",
        package: "ledger",
        target: LIB,
        test: "proof::tests::every_small_tree_proves_every_leaf_and_every_prefix",
    },
    Break {
        name: "forbid-that-errors-is-skipped",
        file: "crates/policy/src/decide.rs",
        find: "let overruled = allowed && !errors.is_empty();",
        replace: "let overruled = false;",
        package: "policy",
        target: &["--test", "policy"],
        test: "scenarios::a_forbid_that_errors_denies",
    },
    Break {
        name: "delegator-approves-alone",
        file: "crates/policy/base/base.cedar",
        find: "(context.approvers.contains(resource.owners.control) && resource.owners.control != context.delegator) ||",
        replace: "(context.approvers.contains(resource.owners.control)) ||",
        package: "policy",
        target: &["--test", "policy"],
        test: "scenarios::the_delegator_is_not_the_approver",
    },
];
