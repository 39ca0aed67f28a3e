//! `[assets]`.

use std::path::PathBuf;

section! {
    /// Pages and files.
    Assets = "assets" {
        /// A folder laid over the embedded files: a file of the same path replaces the embedded one
        /// (`html/index.html`, `css/tokens.css`, `images/favicon.svg` …). An edit shows at the next
        /// request, without a restart. Symbolic links are not followed.
        dir: Option<PathBuf> = "";
    }
}
