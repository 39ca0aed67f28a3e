//! `[assets]`.

use std::path::PathBuf;

section! {
    /// Pages and files.
    Assets = "assets" {
        /// A folder laid over the embedded files: a file of the same path replaces the embedded one
        /// (`html/index.html`, `css/tokens.css`, `images/favicon.svg` …). An edit shows at the next
        /// request, without a restart. Symbolic links are not followed.
        dir: Option<PathBuf> = "";
        /// Browsers keep a small part of the pages, so that without a connection people see a page of
        /// this site, and can go on writing. false: none, and what browsers kept is taken away at
        /// their next visit.
        service_worker: bool = true;
    }
}
