//! The rules of matching.
