//! The address that people hand on to others in the room: found out, and drawn as a QR code.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::Path;

use qrcode::render::{svg, unicode};
use qrcode::{EcLevel, QrCode};

/// Longest address that is drawn: as a code that a phone still reads from a screen.
const LONGEST: usize = 200;
/// An address that is routed nowhere (RFC 5737): connecting a UDP socket to it sends nothing, and says by
/// which address this machine would.
const ANYWHERE: (&str, u16) = ("192.0.2.1", 9);
/// Files of a container's engine. The addresses within are not those of the machine around it.
const IN_A_CONTAINER: [&str; 2] = ["/.dockerenv", "/run/.containerenv"];

/// Where other devices of the same network reach a server that listens at `listen` (host and port), as
/// `http://…`; `None` when only this machine reaches it, or when it cannot be known.
pub fn in_this_network(listen: SocketAddr) -> Option<String> {
    if IN_A_CONTAINER.iter().any(|file| Path::new(file).exists()) {
        return None;
    }
    let address = match listen.ip() {
        ip if ip.is_loopback() => return None,
        ip if ip.is_unspecified() => by_which_we_send()?,
        ip => ip,
    };
    let address = SocketAddr::new(address, listen.port());
    Some(match address.port() {
        80 => format!("http://{}", address.to_string().trim_end_matches(":80")),
        _ => format!("http://{address}"),
    })
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

    #[test]
    fn who_listens_to_this_machine_alone_has_nothing_to_hand_on() {
        for listen in ["127.0.0.1:8000", "[::1]:8000"] {
            assert_eq!(in_this_network(listen.parse().unwrap()), None);
        }
    }

    #[test]
    fn an_address_of_its_own_is_handed_on() {
        if IN_A_CONTAINER.iter().any(|file| Path::new(file).exists()) {
            return;
        }
        let handed = |listen: &str| in_this_network(listen.parse().unwrap());
        assert_eq!(
            handed("10.1.2.3:8000").as_deref(),
            Some("http://10.1.2.3:8000")
        );
        assert_eq!(handed("10.1.2.3:80").as_deref(), Some("http://10.1.2.3"));
        assert_eq!(
            handed("[fd00::7]:8000").as_deref(),
            Some("http://[fd00::7]:8000")
        );
        let any = handed("0.0.0.0:8000");
        assert!(any.is_none_or(|it| !it.contains("0.0.0.0") && !it.contains("127.")));
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
    }
}
