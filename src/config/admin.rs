//! `[admin]`.

section! {
    /// The operators' console at /admin/, and the commands for operators. docs/OPERATIONS.md says how the first
    /// operator is made.
    Admin = "admin" {
        /// Let operators use the console over plain http from elsewhere than this machine. What they type, their
        /// password too, can then be read on the way: only for a network of one's own.
        allow_plain_http: bool = false;
        /// The folder of the control socket (miyu.sock) and of the link for the first operator (setup-link). Empty: that
        /// of the database; with PostgreSQL `data`.
        dir: String = "";
    }
}
