//! The first words of a server: proof that it takes connections, and its version.

use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(5);

/// The version in the greeting of the server at this loopback port, or `None` while there is none.
/// `MariaDB` hides behind `5.5.5-` for the sake of old replicas; that prefix is taken off.
pub(crate) fn version_at(port: u16) -> Option<String> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut stream = TcpStream::connect_timeout(&address, LIMIT).ok()?;
    stream.set_read_timeout(Some(LIMIT)).ok()?;
    let mut length = [0; 4];
    stream.read_exact(&mut length).ok()?;
    let mut packet = vec![0; usize::from(u16::from_le_bytes([length[0], length[1]]))];
    stream.read_exact(&mut packet).ok()?;
    version_in(&packet)
}

/// The protocol's version 10, then the server's version up to a zero byte.
fn version_in(packet: &[u8]) -> Option<String> {
    let (10, rest) = packet.split_first().map(|(first, rest)| (*first, rest))? else {
        return None;
    };
    let version = rest.split(|byte| *byte == 0).next()?;
    let version = String::from_utf8_lossy(version);
    Some(version.strip_prefix("5.5.5-").unwrap_or(&version).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_gives_the_version_and_an_error_packet_none() {
        let version = |packet: &[u8]| version_in(packet);
        assert_eq!(version(b"\x0a9.7.4-2\0rest").as_deref(), Some("9.7.4-2"));
        assert_eq!(
            version(b"\x0a5.5.5-10.11.19-MariaDB-log\0rest").as_deref(),
            Some("10.11.19-MariaDB-log")
        );
        assert_eq!(version(b"\xff\x10\x04Too many connections"), None);
        assert_eq!(version(b""), None);
    }
}
