//! Signs committed bytes: X.509 documents, and the keys that sign them.
