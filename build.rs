//! Prepares what a release build embeds: a copy of `assets/` in `OUT_DIR`, with a brotli and a gzip
//! variant beside every file that shrinks. Debug builds read `assets/` itself while they run.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, io};

/// Extensions of files that are text and shrink.
const TEXT: [&str; 8] = [
    "css",
    "html",
    "js",
    "json",
    "mjs",
    "svg",
    "txt",
    "webmanifest",
];

fn main() -> io::Result<()> {
    println!("cargo::rerun-if-changed=build.rs");
    let variable = |name| env::var_os(name).ok_or_else(|| io::Error::other(format!("no {name}")));
    let out = PathBuf::from(variable("OUT_DIR")?);
    let source = PathBuf::from(variable("CARGO_MANIFEST_DIR")?).join("assets");
    // Not CARGO_CFG_DEBUG_ASSERTIONS: cargo sets that for every profile.
    let release = variable("PROFILE")? == "release";
    let folder = if release || !source.exists() {
        let target = out.join("assets");
        if target.exists() {
            fs::remove_dir_all(&target)?;
        }
        fs::create_dir_all(&target)?;
        println!("cargo::rerun-if-changed=assets");
        if source.exists() {
            prepare(&source, &target)?;
        }
        target
    } else {
        source
    };
    // Written out because `#[folder]` takes no variables without more dependencies.
    let code = format!("#[derive(rust_embed::Embed)]\n#[folder = {folder:?}]\nstruct Embedded;\n");
    fs::write(out.join("embedded.rs"), code)
}

fn prepare(source: &Path, target: &Path) -> io::Result<()> {
    for entry in fs::read_dir(source)? {
        let entry = entry?;
        let path = entry.path();
        let to = target.join(entry.file_name());
        if entry.file_name().to_string_lossy().starts_with('.') {
            continue;
        }
        if path.is_dir() {
            fs::create_dir_all(&to)?;
            prepare(&path, &to)?;
            continue;
        }
        let plain = fs::read(&path)?;
        fs::write(&to, &plain)?;
        let extension = path.extension().and_then(|it| it.to_str());
        if extension.is_some_and(|it| TEXT.contains(&it)) {
            write_smaller(&to, "br", &plain, &brotli(&plain)?)?;
            write_smaller(&to, "gz", &plain, &gzip(&plain)?)?;
        }
    }
    Ok(())
}

fn write_smaller(to: &Path, extension: &str, plain: &[u8], packed: &[u8]) -> io::Result<()> {
    if packed.len() < plain.len() {
        let mut name = to.as_os_str().to_owned();
        name.push(".");
        name.push(extension);
        fs::write(name, packed)?;
    }
    Ok(())
}

fn brotli(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut packed = Vec::new();
    let best = brotli::enc::BrotliEncoderParams {
        quality: 11,
        size_hint: plain.len(),
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &plain[..], &mut packed, &best)?;
    Ok(packed)
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain)?;
    encoder.finish()
}
