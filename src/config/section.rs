//! How a section of the configuration is declared: fields, documentation and defaults together, so
//! that the structure, the sample file and the list of known keys cannot disagree.

use figment::value::Value;

use super::problem::ValueError;

/// A declared section.
pub struct Section {
    /// The word in brackets.
    pub name: &'static str,
    /// What it is about.
    pub about: &'static [&'static str],
    /// Its keys, as declared.
    pub keys: &'static [Key],
}

/// A declared key.
pub struct Key {
    /// Its name within the section.
    pub name: &'static str,
    /// What it means, line by line.
    pub doc: &'static [&'static str],
    /// Its default as TOML.
    pub default: &'static str,
    /// Its value is never shown.
    pub secret: bool,
    /// What kind of value it takes, for messages.
    pub kind: &'static str,
    /// Reads the text of an environment variable or a flag.
    pub from_text: fn(&str) -> Value,
    /// Checks a value and writes it as TOML, the way it was understood.
    pub show: fn(&Value) -> Result<String, ValueError>,
}

/// Declares a section: `field: Type = default;`, where the default is a TOML literal, or
/// `field: Type as Wire = default;` when it is written as `Wire` and kept as `Type`. Bounds stand behind the
/// default, as TOML literals: `from LEAST`, `to MOST`, and `or NONE` for a value that means "none".
macro_rules! section {
    (
        $(#[doc = $about:literal])*
        $struct:ident = $section:literal {
            $(
                $(#[doc = $doc:literal])*
                $field:ident: $type:ty $(as $wire:ty)? = $default:tt
                    $(from $least:tt)? $(to $most:tt)? $(or $none:tt)?;
            )*
        }
    ) => {
        $(#[doc = $about])*
        #[derive(Clone, Debug, PartialEq)]
        #[allow(
            rustdoc::bare_urls,
            reason = "the docs are printed into the sample file, where brackets would puzzle"
        )]
        pub struct $struct {
            $( $(#[doc = $doc])* pub $field: $type, )*
        }

        impl $struct {
            pub(super) const SECTION: $crate::config::section::Section =
                $crate::config::section::Section {
                    name: $section,
                    about: &[$($about),*],
                    keys: &[$( $crate::config::section::Key {
                        name: stringify!($field),
                        doc: &[$($doc),*],
                        default: stringify!($default),
                        secret: <section!(@wire $type $(, $wire)?)
                            as $crate::config::value::Setting>::SECRET,
                        kind: <section!(@wire $type $(, $wire)?)
                            as $crate::config::value::Setting>::KIND,
                        from_text: <section!(@wire $type $(, $wire)?)
                            as $crate::config::value::Setting>::from_text,
                        show: |value| {
                            <section!(@wire $type $(, $wire)?)
                                as $crate::config::value::Setting>::parse(value)
                                .map(|it| $crate::config::value::Setting::show(&it))
                        },
                    } ),*],
                };

            pub(super) fn read(
                layers: &$crate::config::load::Layers,
                problems: &mut $crate::config::problem::ConfigProblems,
            ) -> Self {
                Self {
                    $( $field: {
                        let value = layers.read::<section!(@wire $type $(, $wire)?)>(
                            $section,
                            stringify!($field),
                            stringify!($default),
                            problems,
                        );
                        section!(
                            @bounds layers, problems, $section, $field, value,
                            [$($least)?] [$($most)?] [$($none)?]
                        );
                        value.into()
                    }, )*
                }
            }
        }

        impl Default for $struct {
            fn default() -> Self {
                let layers = $crate::config::load::Layers::none();
                Self::read(&layers, &mut $crate::config::problem::ConfigProblems::default())
            }
        }
    };
    (
        @bounds $layers:ident, $problems:ident, $section:literal, $field:ident, $value:ident, [] [] []
    ) => {};
    (
        @bounds $layers:ident, $problems:ident, $section:literal, $field:ident, $value:ident,
        [$($least:tt)?] [$($most:tt)?] [$($none:tt)?]
    ) => {
        let bounds = $crate::config::bounds::Bounds {
            least: None::<&'static str>$(.or(Some(stringify!($least))))?,
            most: None::<&'static str>$(.or(Some(stringify!($most))))?,
            none: None::<&'static str>$(.or(Some(stringify!($none))))?,
        };
        if let Some(why) = bounds.refusal(&$value) {
            let key = stringify!($field);
            let source = $layers.source($section, key);
            $problems.add(format!("{}.{key}", $section), source, why);
        }
    };
    (@wire $type:ty) => { $type };
    (@wire $type:ty, $wire:ty) => { $wire };
}
