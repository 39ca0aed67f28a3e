//! The address that people hand on to others in the room: found out, and drawn as a QR code.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;
use std::sync::LazyLock;

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

/// Longest address that is drawn: as a code that a phone still reads from a screen.
const LONGEST: usize = 200;
/// An address that is routed nowhere (RFC 5737): connecting a UDP socket to it sends nothing, and says by
/// which address this machine would.
const ANYWHERE: (&str, u16) = ("192.0.2.1", 9);
/// Whether this process runs in a container, by the files of its engine. The addresses within are not those of
/// the machine around it.
static IN_A_CONTAINER: LazyLock<bool> = LazyLock::new(|| {
    let files = ["/.dockerenv", "/run/.containerenv"];
    files.iter().any(|file| Path::new(file).exists())
});

/// Where other devices of the same network reach a server that listens at `listen` (host and port), as
/// `http://…`; `None` when only this machine reaches it, or when it cannot be known.
pub fn in_this_network(listen: SocketAddr) -> Option<String> {
    if *IN_A_CONTAINER {
        return None;
    }
    reached_at(listen, by_which_we_send)
}

/// The address of a machine that listens there; `sends_by` says which one it sends by.
fn reached_at(listen: SocketAddr, sends_by: impl FnOnce() -> Option<IpAddr>) -> Option<String> {
    let ip = match listen.ip() {
        ip if ip.is_loopback() => return None,
        ip if ip.is_unspecified() => sends_by()?,
        ip => ip,
    };
    let url = format!("http://{}", SocketAddr::new(ip, listen.port()));
    Some(url.strip_suffix(":80").unwrap_or(&url).to_owned())
}

fn by_which_we_send() -> Option<IpAddr> {
    let socket = UdpSocket::bind(("0.0.0.0", 0)).ok()?;
    socket.connect(ANYWHERE).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_loopback() && !ip.is_unspecified()).then_some(ip)
}

/// The code for a terminal, in lines of half blocks, dark on light whatever the terminal's colours are.
/// `None` for an address that is too long.
pub fn for_terminal(url: &str) -> Option<String> {
    let image = code(url)?
        .render::<unicode::Dense1x2>()
        // A terminal's foreground is light more often than not; the quiet zone must be the lighter one.
        .dark_color(unicode::Dense1x2::Light)
        .light_color(unicode::Dense1x2::Dark)
        .build();
    Some(image)
}

/// What the camera of a phone takes at once: the secret of an operator's one-time codes, whose name may be long.
const LONGEST_SECRET: usize = 600;

/// The code of an address for an app of one-time codes, as an SVG image. `None` for one that is too long.
pub fn secret_as_svg(uri: &str) -> Option<String> {
    let short = uri.len() <= LONGEST_SECRET;
    let code = short.then(|| QrCode::with_error_correction_level(uri, EcLevel::L).ok())??;
    let mut image = code.render::<svg::Color<'_>>();
    Some(image.min_dimensions(240, 240).build())
}

/// The code as an SVG image. `None` for an address that is too long.
pub fn as_svg(url: &str) -> Option<String> {
    let image = code(url)?
        .render::<svg::Color<'_>>()
        .min_dimensions(200, 200)
        .build();
    Some(image)
}

fn code(url: &str) -> Option<QrCode> {
    let short = url.len() <= LONGEST;
    short.then(|| QrCode::with_error_correction_level(url, EcLevel::M).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn handed_on(listen: &str) -> Option<String> {
        reached_at(listen.parse().unwrap(), || Some([10, 9, 8, 7].into()))
    }

    #[test]
    fn who_listens_to_this_machine_alone_has_nothing_to_hand_on() {
        for listen in ["127.0.0.1:8000", "[::1]:8000"] {
            assert_eq!(handed_on(listen), None);
        }
    }

    #[test]
    fn what_is_handed_on_is_the_address_that_is_listened_at() {
        for (listen, url) in [
            ("10.1.2.3:8000", "http://10.1.2.3:8000"),
            ("10.1.2.3:80", "http://10.1.2.3"),
            ("10.1.2.3:8080", "http://10.1.2.3:8080"),
            ("[fd00::7]:8000", "http://[fd00::7]:8000"),
            ("[fd00::7]:80", "http://[fd00::7]"),
        ] {
            assert_eq!(handed_on(listen).as_deref(), Some(url));
        }
    }

    #[test]
    fn at_all_addresses_it_is_the_one_that_is_sent_by() {
        for listen in ["0.0.0.0:8000", "[::]:8000"] {
            assert_eq!(handed_on(listen).as_deref(), Some("http://10.9.8.7:8000"));
        }
        let any = "0.0.0.0:8000".parse().unwrap();
        assert_eq!(reached_at(any, || None), None);
        let here = by_which_we_send();
        assert!(here.is_none_or(|ip| !ip.is_loopback() && !ip.is_unspecified()));
    }

    #[test]
    fn codes_are_drawn_of_short_addresses_only() {
        let url = "http://10.1.2.3:8000";
        let lines = for_terminal(url).unwrap();
        let widths: Vec<_> = lines.lines().map(|it| it.chars().count()).collect();
        assert!(
            widths.len() > 10 && widths.iter().all(|it| *it == widths[0]),
            "{lines}"
        );
        assert!(as_svg(url).unwrap().contains("<svg"));
        assert_eq!(as_svg(&format!("http://{}", "a".repeat(LONGEST))), None);
        let secret = format!("otpauth://totp/{}", "%E8".repeat(150));
        assert!(secret_as_svg(&secret).unwrap().contains("<svg"));
        assert_eq!(secret_as_svg(&"a".repeat(LONGEST_SECRET + 1)), None);
    }
}
