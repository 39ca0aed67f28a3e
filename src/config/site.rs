//! `[site]`.

section! {
    /// What visitors read about this site.
    Site = "site" {
        /// The name in titles.
        name: String = "秘語 Miyu";
        /// One line about the site: the large one on its first page. Empty: the built-in one.
        tagline: String = "";
        /// House rules as plain text; a line each. Empty: the built-in ones.
        rules: String = "";
        /// How to reach you, as plain text. Empty: not shown.
        contact: String = "";
        /// Age asked for once at first Start, with the rules. 0: not asked.
        minimum_age: u8 = 18;
        /// "auto" (as the browser prefers), "zh-TW" or "en".
        default_language: String = "auto";
    }
}
