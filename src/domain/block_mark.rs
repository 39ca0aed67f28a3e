//! Marks: by what a caller who was blocked is known for a day, also without the cookie. A mark is a keyed
//! hash of the caller's narrowest network with one free tag: neither alone. A network alone may be a
//! campus, and a tag alone a stranger; without the key a mark says nothing of either.

use serde::{Deserialize, Serialize};

use crate::domain::wish::{TAGS, Tags};

/// One network with one free tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Mark(pub u64);

/// The marks of a search, one for each of its tags in their order; `None` for a topic of the pages, which
/// too many people share, and for a caller whose address is not known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Marks(pub [Option<Mark>; TAGS]);

impl Marks {
    /// All there are.
    pub fn all(self) -> impl Iterator<Item = Mark> {
        self.0.into_iter().flatten()
    }

    /// Those of the tags that the other side has as well and that count between the two: `own` are the
    /// tags that these marks are of. A mark of any other would tell, by the people that it keeps apart afterwards, that
    /// the other side had named the same word.
    pub fn of_shared(self, own: &Tags, theirs: &Tags, counts: impl Fn(&str) -> bool) -> Vec<Mark> {
        let mut common = own.common(theirs);
        common.retain(|tag| counts(tag));
        let tags = own.as_slice().iter().zip(self.0);
        tags.filter_map(|(tag, mark)| mark.filter(|_| common.contains(tag)))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_go_with_the_tags_that_are_shared() {
        let own = Tags::parse(["one", "音樂", "Two"]);
        let marks = Marks([Some(Mark(1)), None, Some(Mark(2))]);
        let shared = |theirs: &[&str]| {
            let theirs = Tags::parse(theirs.iter().copied());
            marks.of_shared(&own, &theirs, |tag| tag != "one")
        };
        assert_eq!(shared(&["two", "音樂", "other"]), [Mark(2)]);
        assert!(shared(&["one"]).is_empty(), "it does not count");
        assert!(shared(&["音樂"]).is_empty());
        assert_eq!(marks.all().count(), 2);
    }
}
