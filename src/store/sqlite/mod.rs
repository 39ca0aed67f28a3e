//! The store of one process: SQLite.
