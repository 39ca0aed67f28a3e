//! Layers of configuration, lowest first: defaults, the file, `MIYU_SECTION__KEY` variables, flags.
//! Remembers where each value came from.

use std::io;
use std::path::{Path, PathBuf};

use figment::providers::{Format as _, Toml};
use figment::value::{Dict, Map, Value};
use figment::{Figment, Metadata, Profile, Provider, Source};

use super::problem::ConfigProblems;
use super::section::Key;
use super::value::Setting;
use super::{Config, SECTIONS, check};
use crate::telemetry::causes;

/// The file that is read when none is named, if it is there.
pub const USUAL_FILE: &str = "config/miyu.toml";
/// What our environment variables begin with.
const PREFIX: &str = "MIYU_";
/// Names below this similarity are not suggested.
const SIMILAR: f64 = 0.7;

const ENVIRONMENT: &str = "environment";
const FLAGS: &str = "flags";

/// What was given from outside.
#[derive(Clone, Debug, Default)]
pub struct Given {
    /// `--config`: must exist. None: [`USUAL_FILE`] if it is there.
    pub file: Option<PathBuf>,
    /// The environment.
    pub environment: Vec<(String, String)>,
    /// Flags, as `section.key` with text.
    pub flags: Vec<(&'static str, String)>,
}

impl Given {
    /// What this process was started with. Names that are not UTF-8 cannot be ours; a value that is not
    /// is kept with U+FFFD in it, and refused if it is one of ours.
    pub fn from_process(file: Option<PathBuf>, flags: Vec<(&'static str, String)>) -> Self {
        let environment = std::env::vars_os()
            .filter_map(|(name, value)| {
                Some((
                    name.into_string().ok()?,
                    value.to_string_lossy().into_owned(),
                ))
            })
            .collect();
        Self {
            file,
            environment,
            flags,
        }
    }
}

/// A configuration that passed every check, and where its values came from.
#[derive(Debug)]
pub struct Loaded {
    /// What was set.
    pub config: Config,
    /// The file that was read, if any.
    pub file: Option<PathBuf>,
    layers: Layers,
}

impl Loaded {
    /// A key's value as TOML, secrets hidden, and where it was set.
    pub fn effective(&self, section: &str, key: &Key) -> (String, String) {
        let value = self.layers.find(section, key.name);
        let shown = value.and_then(|value| (key.show)(&value).ok());
        let shown = shown.unwrap_or_else(|| key.default.to_owned());
        (shown, self.layers.source(section, key.name))
    }
}

/// Reads and checks everything.
///
/// # Errors
/// Everything that is wrong, at once.
pub fn load(given: Given) -> Result<Loaded, ConfigProblems> {
    let mut problems = ConfigProblems::default();
    let file = match &given.file {
        Some(named) => Some(named.clone()),
        None => Some(PathBuf::from(USUAL_FILE)).filter(|usual| is_there(usual)),
    };
    let layers = Layers::stack(file.as_deref(), &given, &mut problems);
    layers.find_unknown(&mut problems);
    let config = Config::read(&layers, &mut problems);
    check::check(&config, &layers, &mut problems);
    match problems.0.is_empty() {
        true => Ok(Loaded {
            config,
            file,
            layers,
        }),
        false => Err(problems),
    }
}

/// Whether something is at this path, or cannot be told not to be: a folder that may not be entered, a
/// link that leads nowhere. Then reading it says why, rather than that nothing is configured.
fn is_there(path: &Path) -> bool {
    use std::io::ErrorKind::{NotADirectory, NotFound};
    let dangling = |path: &Path| path.is_symlink() && !path.exists();
    match path.symlink_metadata() {
        Ok(_) => true,
        Err(error) if matches!(error.kind(), NotFound | NotADirectory) => {
            path.parent().is_some_and(dangling)
        }
        Err(_) => true,
    }
}

/// The stacked layers.
#[derive(Debug)]
pub struct Layers(Figment);

impl Layers {
    /// Nothing set: every key has its default.
    pub fn none() -> Self {
        Self(Figment::new())
    }

    fn stack(file: Option<&Path>, given: &Given, problems: &mut ConfigProblems) -> Self {
        let mut figment = Figment::new();
        if let Some(path) = file {
            match read_file(path) {
                Ok(toml) => figment = figment.merge(toml),
                Err(why) => {
                    let source = path.display().to_string();
                    problems.add("the file", source, causes(&why));
                }
            }
        }
        let variables = given.environment.iter().filter_map(|(name, text)| {
            // Without a double underscore it is not a key: MIYU_LOG_DIR may be another program's.
            let (section, key) = name.strip_prefix(PREFIX)?.split_once("__")?;
            // A file of variables with the line ends of Windows leaves one at each value: a database would be
            // another one for it, and empty.
            Some((
                section.to_ascii_lowercase(),
                key.to_ascii_lowercase(),
                text.trim(),
            ))
        });
        for (name, text) in &given.environment {
            if name.starts_with(PREFIX) && name.contains("__") && text.contains('\u{fffd}') {
                problems.add(
                    name,
                    "environment",
                    "is not UTF-8; set it in a file, or in a UTF-8 locale",
                );
            }
        }
        let flags = given.flags.iter().filter_map(|(name, text)| {
            let (section, key) = name.split_once('.')?;
            Some((section.to_owned(), key.to_owned(), text.as_str()))
        });
        Self(
            figment
                .merge(Texts::new(ENVIRONMENT, variables))
                .merge(Texts::new(FLAGS, flags)),
        )
    }

    /// A key's value, from the highest layer that has it.
    fn find(&self, section: &str, key: &str) -> Option<Value> {
        self.0.find_value(&format!("{section}.{key}")).ok()
    }

    /// Reads one key; notes a problem and takes the default when it cannot be understood.
    pub(super) fn read<T: Setting>(
        &self,
        section: &str,
        key: &str,
        default: &str,
        problems: &mut ConfigProblems,
    ) -> T {
        let own = self.find(section, key).map(|value| T::parse(&value));
        match own {
            Some(Ok(value)) => return value,
            Some(Err(why)) => {
                let why = causes(&why);
                problems.add(format!("{section}.{key}"), self.source(section, key), why);
            }
            None => {}
        }
        let value = literal(default).expect("defaults are TOML");
        T::parse(&value).expect("defaults have the type of their key")
    }

    /// Where a key was set.
    pub fn source(&self, section: &str, key: &str) -> String {
        match self.find(section, key) {
            Some(value) => self.source_of(&value, section, key),
            None => "default".to_owned(),
        }
    }

    fn source_of(&self, value: &Value, section: &str, key: &str) -> String {
        let Some(metadata) = self.0.get_metadata(value.tag()) else {
            return "default".to_owned();
        };
        match (&*metadata.name, &metadata.source) {
            (ENVIRONMENT, _) => format!("{PREFIX}{section}__{key}").to_ascii_uppercase(),
            (FLAGS, _) => "flag".to_owned(),
            (_, Some(Source::File(path))) => path.display().to_string(),
            (name, _) => name.to_owned(),
        }
    }

    /// Notes every key that no section declares, with the nearest declared one.
    fn find_unknown(&self, problems: &mut ConfigProblems) {
        let data = self.0.data().unwrap_or_default();
        for (section, value) in data.into_values().flatten() {
            let source = |key: &str, value: &Value| self.source_of(value, &section, key);
            let Some(declared) = SECTIONS.iter().find(|it| it.name == section) else {
                let (key, inner) = first_of(&value);
                let source = source(key, inner);
                let why = unknown(&section, SECTIONS.iter().map(|it| it.name.to_owned()));
                problems.add(format!("[{section}]"), source, why);
                continue;
            };
            let Value::Dict(_, keys) = &value else {
                let source = source("", &value);
                problems.add(
                    &*section,
                    source,
                    "must be a section: write [section], then its keys",
                );
                continue;
            };
            for (key, value) in keys {
                if !declared.keys.iter().any(|it| it.name == key) {
                    let near = nearby_keys(declared.name);
                    let why = unknown(&format!("{section}.{key}"), near);
                    problems.add(format!("{section}.{key}"), source(key, value), why);
                }
            }
        }
    }
}

/// Every declared key, in full, those of this section first.
fn nearby_keys(section: &str) -> impl Iterator<Item = String> {
    let full = |section: &super::section::Section| {
        let name = section.name;
        let keys = section.keys.iter();
        keys.map(move |key| format!("{name}.{}", key.name))
            .collect::<Vec<_>>()
    };
    let (own, others): (Vec<_>, Vec<_>) = SECTIONS.iter().partition(|it| it.name == section);
    own.into_iter().chain(others).flat_map(full)
}

fn unknown(name: &str, known: impl Iterator<Item = String>) -> String {
    let last = |text: &str| text.rsplit('.').next().unwrap_or_default().to_owned();
    let nearest = known
        .map(|it| {
            // The last word weighs as much as the whole: a right key in a wrong section is near.
            let whole = strsim::jaro_winkler(name, &it);
            let word = strsim::jaro_winkler(&last(name), &last(&it));
            (whole.max(word), it)
        })
        .fold((SIMILAR, None), |best, (similarity, it)| {
            if similarity > best.0 {
                (similarity, Some(it))
            } else {
                best
            }
        });
    match nearest.1 {
        Some(near) => format!("is unknown; did you mean `{near}`?"),
        None => "is unknown; `miyu default-config` lists every key".to_owned(),
    }
}

fn first_of(value: &Value) -> (&str, &Value) {
    match value {
        Value::Dict(_, dict) => dict
            .iter()
            .next()
            .map_or(("", value), |(key, inner)| (key.as_str(), inner)),
        _ => ("", value),
    }
}

/// Why the file is not taken.
#[derive(Debug, thiserror::Error)]
enum FileError {
    #[error(
        "may not be read by the user {user} that runs miyu ({0}); it needs read for the file, and execute for each \
         folder on the way to it",
        user = rustix::process::geteuid().as_raw()
    )]
    Denied(#[source] io::Error),
    #[error("is a link that leads nowhere ({0})")]
    Dangling(#[source] io::Error),
    #[error("cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    #[error("is not TOML ({length} bytes): {error}")]
    NotToml {
        length: usize,
        #[source]
        error: Box<figment::Error>,
    },
}

impl FileError {
    fn of(path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Self::Denied(error),
            io::ErrorKind::NotFound if path.is_symlink() => Self::Dangling(error),
            _ => Self::Unreadable(error),
        }
    }
}

fn read_file(path: &Path) -> Result<impl Provider, FileError> {
    let readable = std::fs::read_to_string(path).map_err(|error| FileError::of(path, error))?;
    let provider = Toml::file_exact(path);
    match provider.data() {
        Ok(_) => Ok(provider),
        Err(error) => Err(FileError::NotToml {
            length: readable.len(),
            error: Box::new(error),
        }),
    }
}

/// A TOML literal as a value.
pub(super) fn literal(text: &str) -> Option<Value> {
    let figment = Figment::from(Toml::string(&format!("it = {text}")));
    figment.find_value("it").ok()
}

/// A layer of texts, each read the way its key wants.
struct Texts {
    name: &'static str,
    dict: Dict,
}

impl Texts {
    fn new<'a>(name: &'static str, texts: impl Iterator<Item = (String, String, &'a str)>) -> Self {
        let mut dict = Dict::new();
        for (section, key, text) in texts {
            let declared = SECTIONS
                .iter()
                .filter(|it| it.name == section)
                .flat_map(|it| it.keys)
                .find(|it| it.name == key);
            let value = match declared {
                Some(declared) => (declared.from_text)(text),
                None => Value::from(text),
            };
            let inner = dict.entry(section).or_insert_with(|| Dict::new().into());
            if let Value::Dict(_, inner) = inner {
                inner.insert(key, value);
            }
        }
        Self { name, dict }
    }
}

impl Provider for Texts {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.name)
    }

    fn data(&self) -> figment::error::Result<Map<Profile, Dict>> {
        Ok(Profile::Default.collect(self.dict.clone()))
    }
}
