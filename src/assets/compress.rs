//! Compressing what is only known at run time: rendered pages and the files of an overlay. What a
//! release embeds was compressed by `build.rs`, harder than there is time for here.

use std::io::{self, Write as _};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Smaller bodies gain nothing from being compressed.
const WORTH_COMPRESSING: usize = 256;
/// Pages are compressed at each start and edit: a middling effort, about 1 ms a page.
const BROTLI_QUALITY: i32 = 6;
/// How far back brotli looks, as a power of two: 128 KiB, more than a page has. Its default takes 8 MB.
const BROTLI_WINDOW: i32 = 17;

/// One body in the encodings that make it smaller.
#[derive(Clone, Debug, Default)]
pub struct Compressed {
    /// By brotli.
    pub brotli: Option<Bytes>,
    /// By gzip.
    pub gzip: Option<Bytes>,
}

/// Compresses a body of this `Content-Type`; nothing for what is small or compressed already.
pub(super) fn pack(mime: &str, plain: &[u8]) -> Compressed {
    let text = mime.starts_with("text/") || mime.contains("json") || mime.contains("svg");
    if plain.len() < WORTH_COMPRESSING || !text {
        return Compressed::default();
    }
    let smaller = |packed: io::Result<Vec<u8>>| {
        let packed = packed.ok().filter(|packed| packed.len() < plain.len());
        packed.map(Bytes::from)
    };
    Compressed {
        brotli: smaller(brotli(plain)),
        gzip: smaller(gzip(plain)),
    }
}

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let params = brotli::enc::BrotliEncoderParams {
        quality: BROTLI_QUALITY,
        lgwin: BROTLI_WINDOW,
        size_hint: plain.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &plain[..], &mut packed, &params)?;
    Ok(packed)
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_packed_both_ways_and_comes_back_whole() {
        let plain = "秘語 and again ".repeat(100);
        let Compressed { brotli, gzip } = pack("text/html", plain.as_bytes());
        let (mut one, mut other) = (Vec::new(), Vec::new());
        brotli::BrotliDecompress(&mut &brotli.unwrap()[..], &mut one).unwrap();
        assert_eq!(one, plain.as_bytes());
        let mut decoder = flate2::write::GzDecoder::new(&mut other);
        decoder.write_all(&gzip.unwrap()).unwrap();
        decoder.finish().unwrap();
        assert_eq!(other, plain.as_bytes());
    }

    #[test]
    fn what_gains_nothing_stays_as_it_is() {
        for (mime, plain) in [
            ("text/html", "short".to_owned()),
            ("image/png", "x".repeat(999)),
        ] {
            let Compressed { brotli, gzip } = pack(mime, plain.as_bytes());
            assert!(brotli.is_none() && gzip.is_none(), "{mime}");
        }
    }
}
