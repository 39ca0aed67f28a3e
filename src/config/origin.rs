//! Origins as browsers write them: scheme and host, nothing else.

/// True for https, and the host in lower case without the port that the scheme has anyway;
/// `None` when it is no origin. A final slash is forgiven.
pub fn split(origin: &str) -> Option<(bool, String)> {
    let (scheme, host) = origin.split_once("://")?;
    let host = host.strip_suffix('/').unwrap_or(host);
    let https = match scheme.to_ascii_lowercase().as_str() {
        "https" => true,
        "http" => false,
        _ => return None,
    };
    let bad = |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '@' | '\\' | ',');
    (!host.is_empty() && !host.contains(bad)).then(|| (https, plain_host(host, https)))
}

/// Lower case, without the port that the scheme has anyway.
pub fn plain_host(host: &str, https: bool) -> String {
    let host = host.trim().to_ascii_lowercase();
    let usual = if https { ":443" } else { ":80" };
    match host.strip_suffix(usual) {
        Some(bare) => bare.to_owned(),
        None => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_scheme_and_host() {
        assert_eq!(
            split("http://A.example:80/"),
            Some((false, "a.example".into()))
        );
        for bad in [
            "null",
            "",
            "ftp://a",
            "https://",
            "https://a/b",
            "https://u@a",
        ] {
            assert_eq!(split(bad), None, "{bad}");
        }
    }
}
