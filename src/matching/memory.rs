//! The waiting pool of one process.
