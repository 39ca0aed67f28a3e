//! One state of all files: gathered, rendered, compressed and named by its hash.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::Path;

use bytes::Bytes;
use sha2::{Digest, Sha256};

use crate::assets::compress::{Compressed, pack};
use crate::assets::kept::Kept;
use crate::assets::language::{self, Language};
use crate::assets::localise::localise;
use crate::assets::overlay;
use crate::assets::template::{Escape, Values, render};
use crate::config::Site;

/// The source tree's files, which debug builds read instead of embedding.
pub const SOURCE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/assets");

/// Where templates of pages are; they are not served as files.
const PAGES: &str = "html/";
/// Where the colours of the pages are named: an accent of the operator's stands behind them.
const COLOURS: &str = "css/tokens.css";
/// What an installed site is. One of the two templates that are no pages.
pub const MANIFEST: &str = "manifest.webmanifest";
/// What stands in the place of [`PRIVACY_MARK`] in a page, in each language; these files are not served either.
pub const PRIVACY: &str = "privacy/";
/// What is kept about people. Whether reports are taken is known when it is asked for: it is written for both.
pub const PRIVACY_PAGE: &str = "privacy";
/// The same, of a site that takes no reports.
pub const PRIVACY_WITHOUT_REPORTS: &str = "privacy/without-reports";
/// Where a template has the privacy text.
const PRIVACY_MARK: &str = "{{privacy}}";
/// The page of the operators, which speaks fewer languages than the others.
pub const CONSOLE: &str = "admin";
/// What browsers run beside the pages. The other one.
pub const WORKER: &str = "sw.js";

// `Embedded`, what `build.rs` prepared: every file, with `.br` and `.gz` beside those that shrink.
#[cfg(not(debug_assertions))]
include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// One file in all the encodings it has.
#[derive(Clone, Debug)]
pub struct Asset {
    /// As it is.
    pub plain: Bytes,
    /// The same, smaller, for browsers that take it.
    pub packed: Compressed,
    /// The value of its `Content-Type`.
    pub mime: &'static str,
    /// Names this content, for `ETag`.
    pub tag: String,
}

/// What pages say of the server that only a restart changes.
#[derive(Clone, Debug, Default)]
pub struct Facts {
    /// Browsers are to have a service worker.
    pub worker: bool,
    /// Where the site is for all: `server.public_url`.
    pub public_url: Option<String>,
    /// How long things are kept.
    pub kept: Kept,
}

/// All files at one moment.
#[derive(Debug)]
pub struct Bundle {
    site: Site,
    worker: bool,
    hash: String,
    files: HashMap<String, Asset>,
    languages: Vec<Language>,
    /// Rendered templates by name, in the order of the languages.
    pages: HashMap<String, Vec<Asset>>,
}

#[derive(Default)]
struct Raw {
    plain: Vec<u8>,
    packed: Compressed,
}

impl Raw {
    fn new(name: &str, plain: Vec<u8>) -> Self {
        let packed = pack(mime(name), &plain);
        Self { plain, packed }
    }
}

impl Bundle {
    /// Gathers the embedded files and the overlay's, which win: a catalogue of the overlay word by word.
    ///
    /// # Errors
    /// The overlay, or a catalogue, cannot be read.
    pub fn load(site: &Site, facts: &Facts, overlay: Option<&Path>) -> io::Result<Self> {
        let mut raw = embedded()?;
        if let Some(dir) = overlay {
            let mut over = BTreeMap::new();
            for (name, plain) in overlay::read(dir)? {
                let built_in = |name: &str| raw.get(name).map(|it| &*it.plain);
                let plain = language::complete(&name, &plain, built_in)?.unwrap_or(plain);
                over.insert(name.clone(), Raw::new(&name, plain));
            }
            raw.extend(over);
        }
        if let Some(accent) = site.accent
            && let Some(colours) = raw.remove(COLOURS)
        {
            let plain = [&*colours.plain, accent.style().as_bytes()].concat();
            raw.insert(COLOURS.to_owned(), Raw::new(COLOURS, plain));
        }
        Self::of(site, facts, raw)
    }

    fn of(site: &Site, facts: &Facts, raw: BTreeMap<String, Raw>) -> io::Result<Self> {
        let hash = hash_of(site, facts, &raw);
        let file = |name: &str| raw.get(name).map(|it| &*it.plain);
        let languages = language::read_all(&file, raw.keys().map(String::as_str))?;
        let base = format!("/static/{hash}");
        let mut files = HashMap::new();
        let mut pages = HashMap::new();
        for (name, raw) in raw {
            if let Some((page, escape)) = template_name(&name) {
                let source = String::from_utf8_lossy(&raw.plain);
                let rendered = |reports| {
                    let rendered = languages.iter().map(|language| {
                        let values = Values {
                            site,
                            facts,
                            base: &base,
                            languages: &languages,
                            language,
                            reports,
                        };
                        let text = page_text(&source, &values, escape).into_bytes();
                        let packed = pack(mime(&name), &text);
                        Asset::new(&name, text, packed)
                    });
                    rendered.collect()
                };
                if page == PRIVACY_PAGE {
                    pages.insert(PRIVACY_WITHOUT_REPORTS.to_owned(), rendered(false));
                }
                pages.insert(page.to_owned(), rendered(true));
            } else if !name.starts_with(PRIVACY) {
                let asset = Asset::new(&name, raw.plain, raw.packed);
                files.insert(name, asset);
            }
        }
        Ok(Self {
            site: site.clone(),
            worker: facts.worker,
            hash,
            files,
            languages,
            pages,
        })
    }

    /// What the pages of this bundle say of the site.
    pub fn site(&self) -> &Site {
        &self.site
    }

    /// Whether browsers are to have a service worker.
    pub fn worker(&self) -> bool {
        self.worker
    }

    /// What stands in the addresses of this bundle's files.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// A file below `/static/HASH/`.
    pub fn file(&self, name: &str) -> Option<&Asset> {
        self.files.get(name)
    }

    /// The languages that the pages speak.
    pub fn languages(&self) -> &[Language] {
        &self.languages
    }

    /// The language that a page is in when this one is chosen, as its place in [`Bundle::languages`].
    pub fn language_of(&self, name: &str, chosen: usize) -> usize {
        let spoken = |it: &Language| name != CONSOLE || it.console().is_some();
        match self.languages.get(chosen).is_some_and(spoken) {
            true => chosen,
            false => language::fallback(&self.languages),
        }
    }

    /// A rendered template: `index`, `chat`, [`PRIVACY_PAGE`], [`PRIVACY_WITHOUT_REPORTS`], `transparency`, `error`, `offline`, [`CONSOLE`], [`MANIFEST`] or [`WORKER`]. `language`: its place in
    /// [`Bundle::languages`].
    pub fn page(&self, name: &str, language: usize) -> Option<&Asset> {
        self.pages.get(name)?.get(language)
    }
}

impl Asset {
    fn new(name: &str, plain: Vec<u8>, packed: Compressed) -> Self {
        let tag = hex(&Sha256::digest(&plain)[..12]);
        Self {
            plain: plain.into(),
            packed,
            mime: mime(name),
            tag,
        }
    }
}

/// Debug builds read the source tree, so that an edit shows on reload.
#[cfg(debug_assertions)]
fn embedded() -> io::Result<BTreeMap<String, Raw>> {
    let source = Path::new(SOURCE);
    if !source.exists() {
        return Ok(BTreeMap::new());
    }
    let files = overlay::read(source)?.into_iter();
    Ok(files
        .map(|(name, plain)| {
            (
                name,
                Raw {
                    plain,
                    ..Raw::default()
                },
            )
        })
        .collect())
}

#[cfg(not(debug_assertions))]
fn embedded() -> io::Result<BTreeMap<String, Raw>> {
    let mut files: BTreeMap<String, Raw> = BTreeMap::new();
    for name in Embedded::iter() {
        let Some(file) = Embedded::get(&name) else {
            continue;
        };
        let bytes = file.data.into_owned();
        let (of, packing) = match name.rsplit_once('.') {
            Some((of, packing @ ("br" | "gz"))) => (of, packing),
            _ => (&*name, ""),
        };
        let file = files.entry(of.to_owned()).or_default();
        match packing {
            "br" => file.packed.brotli = Some(bytes.into()),
            "gz" => file.packed.gzip = Some(bytes.into()),
            _ => file.plain = bytes,
        }
    }
    Ok(files)
}

/// A template filled in, and a page in its language.
fn page_text(source: &str, values: &Values<'_>, escape: Escape) -> String {
    let source = source.replace(PRIVACY_MARK, values.language.privacy());
    let text = render(&source, values, escape);
    match escape {
        Escape::Html => localise(&text, values.language, &values.site.name),
        Escape::Json => text,
    }
}

/// The page that this file is the template of, and how values are written into it.
fn template_name(file: &str) -> Option<(&str, Escape)> {
    if let Some(name) = [MANIFEST, WORKER].into_iter().find(|name| *name == file) {
        return Some((name, Escape::Json));
    }
    let page = file.strip_prefix(PAGES)?.strip_suffix(".html")?;
    Some((page, Escape::Html))
}

/// Covers names and contents of all files and the values that templates take.
fn hash_of(site: &Site, facts: &Facts, raw: &BTreeMap<String, Raw>) -> String {
    let mut hasher = Sha256::new();
    let mut add = |part: &[u8]| {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    };
    for (name, file) in raw {
        add(name.as_bytes());
        add(&file.plain);
    }
    add(site.name.as_bytes());
    add(site.tagline.as_bytes());
    let others = (&site.contact, &site.imprint, &site.topics, &facts.kept);
    add(format!("{others:?}").as_bytes());
    hex(&hasher.finalize()[..8])
}

fn mime(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "txt" => "text/plain; charset=utf-8",
        "json" => "application/json",
        "webmanifest" => "application/manifest+json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "gif" => "image/gif",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        "mp3" => "audio/mpeg",
        "ogg" => "audio/ogg",
        "wav" => "audio/wav",
        _ => "application/octet-stream",
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle(site: &Site, files: &[(&str, &str)]) -> Bundle {
        let raw = files.iter().map(|(name, text)| {
            let plain = text.as_bytes().to_vec();
            (
                (*name).to_owned(),
                Raw {
                    plain,
                    ..Raw::default()
                },
            )
        });
        Bundle::of(site, &Facts::default(), raw.collect()).unwrap()
    }

    #[test]
    fn any_change_changes_the_hash() {
        let site = Site::default();
        let files = [
            ("html/index.html", "{{site.name}} {{base}}"),
            ("css/a.css", "a"),
        ];
        let first = bundle(&site, &files);
        assert_eq!(first.hash(), bundle(&site, &files).hash());
        let edited = bundle(&site, &[files[0], ("css/a.css", "b")]);
        assert_ne!(first.hash(), edited.hash());
        let renamed = Site {
            name: "Other".into(),
            ..Site::default()
        };
        assert_ne!(first.hash(), bundle(&renamed, &files).hash());
        let page = first.page("index", 1).unwrap();
        let expected = format!("{} /static/{}", site.name, first.hash());
        assert_eq!(page.plain, expected.as_bytes());
        assert!(
            first.file("html/index.html").is_none(),
            "templates are no files"
        );
    }
}
