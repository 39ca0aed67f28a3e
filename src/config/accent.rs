//! `site.accent`: one colour of the operator's own in the place of our jade, made darker or lighter in
//! each theme until words on it, and words in it, can be read.

use std::fmt;

use figment::value::Value;

use super::problem::ValueError;
use super::value::{Setting, must_be, quote};

/// The least contrast of words with what they stand on (WCAG 2.2, 1.4.3).
pub const CONTRAST: f64 = 4.5;
/// Of a message's words with its bubble.
const BUBBLE: f64 = 7.0;
/// By how much a colour is changed before it is looked at again.
const STEP: f64 = 0.02;

// What the themes lay it on, from `css/tokens.css`: the darkest ground of the light one, the lightest
// ground of the dark one, and the words of a dark bubble.
const LIGHT_GROUND: Rgb = Rgb(0xE6, 0xED, 0xEC);
const DARK_GROUND: Rgb = Rgb(0x1D, 0x2D, 0x31);
const DARK_BUBBLE_WORDS: Rgb = Rgb(0xED, 0xFB, 0xF8);

/// A colour as screens show it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rgb(pub u8, pub u8, pub u8);

/// What an accent is in the two themes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shades {
    /// Buttons, links and own bubbles of the light theme.
    pub light: Rgb,
    /// Buttons and links of the dark theme.
    pub dark: Rgb,
    /// Own bubbles of the dark theme.
    pub dark_bubble: Rgb,
}

impl Rgb {
    fn linear(self) -> [f64; 3] {
        [self.0, self.1, self.2].map(|part| {
            let part = f64::from(part) / 255.0;
            match part <= 0.040_45 {
                true => part / 12.92,
                false => ((part + 0.055) / 1.055).powf(2.4),
            }
        })
    }

    fn of_linear(parts: [f64; 3]) -> Self {
        let [red, green, blue] = parts.map(|part| {
            let part = part.clamp(0.0, 1.0);
            let shown = match part <= 0.003_130_8 {
                true => part * 12.92,
                false => 1.055 * part.powf(1.0 / 2.4) - 0.055,
            };
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "it is from 0 to 255"
            )]
            let byte = (shown * 255.0).round() as u8;
            byte
        });
        Self(red, green, blue)
    }

    fn luminance(self) -> f64 {
        let [red, green, blue] = self.linear();
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    /// The contrast of the two, from 1 to 21.
    pub fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance(), other.luminance());
        (a.max(b) + 0.05) / (a.min(b) + 0.05)
    }

    /// Darker, of the same hue, until it stands out against a lighter one.
    fn darkened_against(self, ground: Self, least: f64) -> Self {
        let (parts, mut rest, mut shade) = (self.linear(), 1.0, self);
        while shade.contrast(ground) < least || shade.luminance() > ground.luminance() {
            rest *= 1.0 - STEP;
            shade = Self::of_linear(parts.map(|part| part * rest));
        }
        shade
    }

    /// Lighter, towards white, until it stands out against a darker one.
    fn lightened_against(self, ground: Self, least: f64) -> Self {
        let (parts, mut added, mut shade) = (self.linear(), 0.0, self);
        while shade.contrast(ground) < least || shade.luminance() < ground.luminance() {
            added += STEP / 2.0;
            shade = Self::of_linear(parts.map(|part| part + (1.0 - part) * added));
        }
        shade
    }

    /// What it is in each theme, when it is an accent.
    pub fn shades(self) -> Shades {
        Shades {
            light: self.darkened_against(LIGHT_GROUND, CONTRAST),
            dark: self.lightened_against(DARK_GROUND, CONTRAST),
            dark_bubble: self.darkened_against(DARK_BUBBLE_WORDS, BUBBLE),
        }
    }

    /// Which theme shows another shade of it, and why; `None` when both show it as it is.
    pub fn changed(self) -> Option<String> {
        let Shades { light, dark, .. } = self.shades();
        let mut themes = Vec::new();
        if light != self {
            themes.push(format!("darker in the light theme ({light})"));
        }
        if dark != self {
            themes.push(format!("lighter in the dark theme ({dark})"));
        }
        if themes.is_empty() {
            return None;
        }
        let themes = themes.join(" and ");
        Some(format!(
            "is shown {themes}, so that words keep a contrast of {CONTRAST}"
        ))
    }

    /// What stands behind the colours of the pages, so that this one takes the place of our own.
    pub fn style(self) -> String {
        let Shades {
            light,
            dark,
            dark_bubble,
        } = self.shades();
        let night = format!("--c-jade: {dark}; --c-mine: {dark_bubble}; --c-glow-mine: {dark};");
        format!(
            "\n:root {{ --c-jade: {light}; --c-mine: {light}; --c-glow-mine: {light}; --c-glow-core: {light}; }}\n\
             @media (prefers-color-scheme: dark) {{ :root:not([data-theme=\"light\"]) {{ {night} }} }}\n\
             :root[data-theme=\"dark\"] {{ {night} }}\n"
        )
    }
}

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(red, green, blue) = self;
        write!(f, "#{red:02x}{green:02x}{blue:02x}")
    }
}

impl Setting for Rgb {
    const KIND: &'static str = "a colour such as \"#0b655e\"";

    fn parse(value: &Value) -> Result<Self, ValueError> {
        let digits = value.as_str().and_then(|text| text.strip_prefix('#'));
        let digits = digits
            .filter(|it| it.len() == 6 && it.bytes().all(|b| b.is_ascii_hexdigit()))
            .ok_or_else(must_be::<Self>)?;
        let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).unwrap_or_default();
        Ok(Self(part(0), part(2), part(4)))
    }

    fn show(&self) -> String {
        quote(&self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHITE: Rgb = Rgb(255, 255, 255);
    const ON_DARK_ACCENT: Rgb = Rgb(0x04, 0x21, 0x1D);

    #[test]
    fn every_colour_becomes_one_that_can_be_read() {
        let steps = [0_u8, 51, 102, 153, 204, 255];
        let of = |red| {
            steps
                .iter()
                .flat_map(move |green| steps.map(|blue| Rgb(red, *green, blue)))
        };
        for colour in steps.into_iter().flat_map(of) {
            let Shades {
                light,
                dark,
                dark_bubble,
            } = colour.shades();
            for ground in [LIGHT_GROUND, WHITE] {
                assert!(light.contrast(ground) >= CONTRAST, "{colour}: {light}");
            }
            for ground in [DARK_GROUND, ON_DARK_ACCENT] {
                assert!(dark.contrast(ground) >= CONTRAST, "{colour}: {dark}");
            }
            assert!(
                dark_bubble.contrast(DARK_BUBBLE_WORDS) >= BUBBLE,
                "{colour}: {dark_bubble}"
            );
        }
    }

    #[test]
    fn what_can_be_read_stays_as_it_is() {
        let jade = Rgb(0x0B, 0x65, 0x5E);
        assert_eq!(jade.shades().light, jade);
        assert!(
            jade.changed()
                .unwrap()
                .starts_with("is shown lighter in the dark theme")
        );
        let yellow = Rgb(0xFF, 0xCC, 0x00);
        assert_eq!(yellow.shades().dark, yellow);
        let said = yellow.changed().unwrap();
        assert!(
            said.starts_with("is shown darker in the light theme (#"),
            "{said}"
        );
        assert!(!said.contains("dark theme"), "{said}");
        assert!((WHITE.contrast(Rgb(0, 0, 0)) - 21.0).abs() < 1e-9);
    }
}
