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
];
