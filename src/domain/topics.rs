//! Topics: words that pages offer to talk about, our own and a site's, with what else means the same.

use crate::domain::wish::fold;

/// The topics of our own, which pages offer unless a site has others, each by the word it travels under, with what else means the same: simplified
/// and Japanese characters, English, and how it is written in Latin letters. Lower case.
const TOPICS: [(&str, &[&str]); 9] = [
    (
        "音樂",
        &[
            "音乐", "音楽", "music", "musics", "musik", "musique", "música", "musica", "yinyue",
            "yīnyuè",
        ],
    ),
    (
        "電影",
        &[
            "电影",
            "映画",
            "movie",
            "movies",
            "film",
            "films",
            "cinema",
            "dianying",
            "diànyǐng",
        ],
    ),
    (
        "旅行",
        &[
            "旅遊",
            "旅游",
            "travel",
            "travels",
            "traveling",
            "travelling",
            "lvxing",
            "luxing",
            "lüxing",
            "lǚxíng",
        ],
    ),
    (
        "美食",
        &[
            "食べ物",
            "food",
            "foods",
            "gourmet",
            "cuisine",
            "meishi",
            "měishí",
        ],
    ),
    (
        "運動",
        &[
            "运动",
            "体育",
            "體育",
            "スポーツ",
            "sport",
            "sports",
            "exercise",
            "yundong",
            "yùndòng",
        ],
    ),
    (
        "遊戲",
        &[
            "游戏",
            "游戲",
            "遊戯",
            "ゲーム",
            "game",
            "games",
            "gaming",
            "video games",
            "youxi",
            "yóuxì",
        ],
    ),
    (
        "閱讀",
        &[
            "阅读", "讀書", "读书", "読書", "reading", "read", "book", "books", "yuedu", "yuèdú",
        ],
    ),
    (
        "攝影",
        &[
            "摄影",
            "写真",
            "photo",
            "photos",
            "photography",
            "sheying",
            "shèyǐng",
        ],
    ),
    ("藝術", &["艺术", "芸術", "art", "arts", "yishu", "yìshù"]),
];

/// The words of our own topics, in their order.
pub fn built_in_topics() -> impl Iterator<Item = &'static str> {
    TOPICS.iter().map(|(topic, _)| *topic)
}

/// Whether this is the word of one of our own topics.
pub(super) fn is_built_in(tag: &str) -> bool {
    built_in_topics().any(|topic| topic == tag)
}

/// The topics that a site offers in the place of our own, each with what else means the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SiteTopics(Vec<(String, Vec<String>)>);

impl SiteTopics {
    /// Of these topics, each by all of its words, the one it travels under first.
    pub fn new<'a, W>(topics: impl IntoIterator<Item = W>) -> Self
    where
        W: IntoIterator<Item = &'a str>,
    {
        let topics = topics.into_iter().filter_map(|words| {
            let mut words = words.into_iter();
            let topic = words.next()?;
            let all = std::iter::once(topic).chain(words);
            let folded = all.map(|word| fold(word).into_owned()).collect();
            Some((topic.to_owned(), folded))
        });
        Self(topics.collect())
    }

    /// The word of the topic that this tag means.
    pub(super) fn topic_of(&self, tag: &str) -> Option<&str> {
        let folded = fold(tag);
        let mut topics = self.0.iter();
        let found = topics.find(|(_, words)| words.iter().any(|word| *word == folded));
        found.map(|(topic, _)| &**topic)
    }
}

/// The place of this topic among the nine, from 1 on.
pub fn topic_number(tag: &str) -> Option<u8> {
    let place = TOPICS.iter().position(|(topic, _)| *topic == tag)?;
    u8::try_from(place + 1).ok()
}

/// The topic's word, should this tag mean one; else the tag.
pub(super) fn topic_of(tag: String) -> String {
    let folded = fold(&tag);
    let named = TOPICS
        .iter()
        .find(|(topic, others)| *topic == folded || others.contains(&&*folded));
    match named {
        Some((topic, _)) => (*topic).to_owned(),
        None => tag,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::text::clean_tag;
    use crate::domain::wish::{TAG_CHARS, Tags};

    #[test]
    fn topics_are_one_word_in_every_spelling() {
        let tags = Tags::parse(["Music", "音乐", "ＭＵＳＩＣ", "Movies", "养猫"]);
        assert_eq!(tags.as_slice(), ["音樂", "電影", "养猫"]);
        let mut all = std::collections::HashSet::new();
        for (topic, others) in TOPICS {
            assert!(is_built_in(topic) && all.insert(topic));
            for other in others {
                assert!(all.insert(other), "{other} twice");
                assert_eq!(fold(other), *other);
                assert_eq!(clean_tag(other, TAG_CHARS), *other);
                assert_eq!(Tags::parse([*other]).as_slice(), [topic]);
            }
        }
        assert_eq!(topic_number("音樂"), Some(1));
        assert_eq!(topic_number("rust"), None);
    }

    #[test]
    fn topics_of_a_site_count_as_our_own_do() {
        let site = SiteTopics::new([["期末考", "Finals", "段考"], ["Rust", "rustlang", "鐵鏽"]]);
        let kinds = |raw: [&'static str; 3]| {
            let tags = Tags::parse(raw).with_topics(&site);
            let kinds = tags
                .with_kinds()
                .map(|(tag, is_topic)| (tag.to_owned(), is_topic));
            kinds.collect::<Vec<_>>()
        };
        let of = |tag: &str, is_topic| (tag.to_owned(), is_topic);
        assert_eq!(
            kinds(["FINALS", "段考", "貓"]),
            [of("期末考", true), of("貓", false)]
        );
        assert_eq!(
            kinds(["music", "rust", "cats"]),
            [of("音樂", true), of("Rust", true), of("cats", false)]
        );
        // Of what came over the wire only our own are known.
        let plain: Tags = vec!["音樂".to_owned(), "期末考".to_owned()].into();
        assert_eq!(
            plain.with_kinds().collect::<Vec<_>>(),
            [("音樂", true), ("期末考", false)]
        );
    }
}
