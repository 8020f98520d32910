//! Where the log, its blobs and its key files lie: SQLite and files.
