//! Reading a query string. What we take there (ids, numbers, tokens) needs no decoding.

/// The first parameter of that name as written; an empty one is as good as none.
pub fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs
        .find(|(key, value)| *key == name && !value.is_empty())
        .map(|(_, value)| value)
}

/// Whether the query has a parameter of that name, with or without a value.
pub fn names_parameter(query: &str, name: &str) -> bool {
    let mut names = query
        .split('&')
        .map(|pair| pair.split_once('=').map_or(pair, |(name, _)| name));
    names.any(|it| it == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_are_found_by_their_whole_name() {
        assert_eq!(parameter("xroom=1&room=2&room=3", "room"), Some("2"));
        assert_eq!(parameter("room", "room"), None);
        assert_eq!(parameter("", "room"), None);
    }

    #[test]
    fn a_parameter_without_a_value_is_named() {
        assert!(names_parameter("a=1&room", "room"));
        assert!(names_parameter("room=&a", "room"));
        assert!(!names_parameter("rooms=1&a", "room"));
    }

    #[test]
    fn an_empty_parameter_is_none() {
        assert_eq!(parameter("after=&room=2", "after"), None);
        assert_eq!(parameter("after=&after=2", "after"), Some("2"));
    }
}
