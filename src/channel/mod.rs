//! The channel layer.
