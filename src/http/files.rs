//! Turns an [`Asset`] into an answer: encoding, validators, how long it may be kept.

use bytes::Bytes;
use hyper::header::{
    ACCEPT_ENCODING, ACCEPT_LANGUAGE, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LANGUAGE,
    CONTENT_TYPE, COOKIE, ETAG, HeaderMap, HeaderName, HeaderValue, IF_NONE_MATCH,
};
use hyper::{Response, StatusCode};

use crate::assets::bundle::{self, Asset, Bundle};
use crate::assets::language;
use crate::http::{ResponseBody, response};

/// Holds the language that a person chose; the pages set it.
const LANGUAGE_COOKIE: &str = "miyu_language";
/// A file's address changes with its content, so it may be kept for ever.
const FOREVER: &str = "public, max-age=31536000, immutable";
/// Kept, but asked about each time.
const ASK: &str = "no-cache";
/// As [`ASK`], and only by this browser: the answer may carry its cookie.
const ASK_PRIVATELY: &str = "private, no-cache";

/// `/static/…`: with the current hash for ever, with another or none as of now.
pub fn file(bundle: &Bundle, path: &str, request: &HeaderMap) -> Option<Response<ResponseBody>> {
    let (hash, name) = match path.split_once('/') {
        Some((first, rest)) if is_hash(first) => (Some(first), rest),
        _ => (None, path),
    };
    let asset = bundle.file(name)?;
    let keep = match hash == Some(bundle.hash()) {
        true => FOREVER,
        false => ASK,
    };
    Some(answer(StatusCode::OK, asset, keep, request))
}

/// A page, in the language of the person, of the site or of the browser.
pub fn page(
    bundle: &Bundle,
    name: &str,
    status: StatusCode,
    request: &HeaderMap,
) -> Option<Response<ResponseBody>> {
    let languages = bundle.languages();
    let chosen = chosen_language(bundle, None, request);
    let chosen = bundle.language_of(name, chosen);
    let asset = bundle.page(name, chosen)?;
    let mut answer = answer(status, asset, ASK_PRIVATELY, request);
    response::vary(&mut answer, "accept-language");
    response::vary(&mut answer, "cookie");
    if let Ok(tag) = HeaderValue::from_str(languages[chosen].tag()) {
        answer.headers_mut().insert(CONTENT_LANGUAGE, tag);
    }
    Some(answer)
}

/// The language for this request, by its place among those of the bundle: the one that it names, that of the person, of
/// the site, or of the browser.
pub fn chosen_language(bundle: &Bundle, named: Option<&str>, request: &HeaderMap) -> usize {
    let accepted = all_of(request, &ACCEPT_LANGUAGE, ",");
    let cookies = all_of(request, &COOKIE, ";");
    let configured = bundle.site().default_language;
    let asked = named.or_else(|| chosen(&cookies));
    language::choose(bundle.languages(), asked, configured, &accepted)
}

/// Every line of a header that may come more than once, as one.
fn all_of(request: &HeaderMap, name: &HeaderName, between: &str) -> String {
    let values = request.get_all(name).iter();
    let texts: Vec<_> = values.filter_map(|value| value.to_str().ok()).collect();
    texts.join(between)
}

/// The language that the person chose on a page, as it was told: it may be any text.
fn chosen(cookies: &str) -> Option<&str> {
    let mut pairs = cookies
        .split(';')
        .filter_map(|pair| pair.trim().split_once('='));
    pairs
        .find(|(name, _)| *name == LANGUAGE_COOKIE)
        .map(|(_, value)| value)
}

/// The service worker: the same for every client, and asked about each time, so that a new version is noticed.
pub fn worker(bundle: &Bundle, request: &HeaderMap) -> Option<Response<ResponseBody>> {
    let asset = bundle.page(bundle::WORKER, 0)?;
    Some(answer(StatusCode::OK, asset, ASK, request))
}

fn answer(
    status: StatusCode,
    asset: &Asset,
    keep: &'static str,
    request: &HeaderMap,
) -> Response<ResponseBody> {
    let (encoding, body) = choose(asset, request);
    let tag = match encoding {
        Some(encoding) => format!("\"{}-{encoding}\"", asset.tag),
        None => format!("\"{}\"", asset.tag),
    };
    let known = status == StatusCode::OK && matches(request, &tag);
    let mut answer = Response::new(ResponseBody::new(if known { Bytes::new() } else { body }));
    *answer.status_mut() = if known {
        StatusCode::NOT_MODIFIED
    } else {
        status
    };
    let headers = answer.headers_mut();
    let mut put = |name: HeaderName, value: &'static str| {
        headers.insert(name, HeaderValue::from_static(value));
    };
    put(CACHE_CONTROL, keep);
    if !known {
        put(CONTENT_TYPE, asset.mime);
        if let Some(encoding) = encoding {
            put(CONTENT_ENCODING, encoding);
        }
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        headers.insert(ETAG, tag);
    }
    response::vary(&mut answer, "accept-encoding");
    answer
}

/// The smallest encoding that the client likes best.
fn choose(asset: &Asset, request: &HeaderMap) -> (Option<&'static str>, Bytes) {
    let weights = Weights::read(request);
    let mut best = (weights.of("identity").unwrap_or(0.001), None, &asset.plain);
    for (name, body) in [("gzip", &asset.packed.gzip), ("br", &asset.packed.brotli)] {
        let weight = weights.of(name).unwrap_or(0.0);
        // Brotli comes last and wins a tie: it is the smaller one.
        if let Some(body) = body
            && weight > 0.0
            && weight >= best.0
        {
            best = (weight, Some(name), body);
        }
    }
    (best.1, best.2.clone())
}

/// `Accept-Encoding` with its q-values.
struct Weights<'a>(Vec<(&'a str, f32)>);

impl<'a> Weights<'a> {
    fn read(request: &'a HeaderMap) -> Self {
        let values = request.get_all(ACCEPT_ENCODING).iter();
        let parts = values
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .take(20);
        Self(
            parts
                .map(|part| {
                    let mut pieces = part.split(';');
                    let name = pieces.next().unwrap_or_default().trim();
                    let weight = pieces
                        .find_map(|piece| piece.trim().strip_prefix("q="))
                        .map_or(1.0, |q| q.trim().parse().unwrap_or(0.0));
                    (name, weight)
                })
                .collect(),
        )
    }

    /// The weight of this coding; `None` when the client says nothing about it.
    fn of(&self, coding: &str) -> Option<f32> {
        let named = |wanted: &str| {
            let mut all = self.0.iter();
            all.find(|(name, _)| name.eq_ignore_ascii_case(wanted))
                .map(|(_, weight)| *weight)
        };
        named(coding).or_else(|| match coding {
            // `*` speaks of codings, and a plain body is better than none.
            "identity" => None,
            _ => named("*"),
        })
    }
}

fn matches(request: &HeaderMap, tag: &str) -> bool {
    request
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

fn is_hash(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::assets::compress::Compressed;

    fn chosen(accept: Option<&'static str>) -> Option<&'static str> {
        let asset = Asset {
            plain: Bytes::from_static(b"plain"),
            packed: Compressed {
                brotli: Some(Bytes::from_static(b"br")),
                gzip: Some(Bytes::from_static(b"gz")),
            },
            mime: "text/plain",
            tag: "t".into(),
        };
        let mut headers = HeaderMap::new();
        if let Some(accept) = accept {
            headers.insert(ACCEPT_ENCODING, HeaderValue::from_static(accept));
        }
        choose(&asset, &headers).0
    }

    #[test]
    fn the_client_chooses_the_encoding() {
        assert_eq!(chosen(None), None);
        assert_eq!(chosen(Some("gzip, deflate, br")), Some("br"));
        assert_eq!(chosen(Some("br;q=0.5, gzip;q=0.8")), Some("gzip"));
        assert_eq!(chosen(Some("br;q=0, gzip")), Some("gzip"));
        assert_eq!(chosen(Some("identity, gzip;q=0.5")), None);
        assert_eq!(chosen(Some("*")), Some("br"));
        assert_eq!(chosen(Some("*;q=0")), None);
        assert_eq!(chosen(Some("nonsense;q=x")), None);
    }
}
