//! Proxies that the operator named. Only they are believed when they say from where a request comes: whoever else
//! says so would choose where his guesses are counted.

use std::net::{IpAddr, SocketAddr};

use axum::http::HeaderMap;

/// To this each proxy adds, at the end, the address that it was asked from.
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Bits that a network's prefix has at least: who names half of the internet believes everybody.
const PREFIX_BITS_MIN: u32 = 8;

/// Addresses and networks of proxies; none, unless somebody names them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Proxies(Vec<Network>);

/// Addresses that begin alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Network {
    address: IpAddr,
    prefix_bits: u32,
}

impl Proxies {
    /// Addresses and networks (`10.1.2.3`, `172.18.0.0/16`) with commas between them. `None`: one of them is neither,
    /// or a network so large that it cannot be one of proxies.
    pub fn parse(text: &str) -> Option<Self> {
        text.split(',').map(|one| Network::parse(one.trim())).collect::<Option<_>>().map(Self)
    }

    /// Whom a request comes from: the last address that is no named proxy's. What stands before it was written by
    /// whoever has that address.
    pub(super) fn client(&self, headers: &HeaderMap, peer: IpAddr) -> IpAddr {
        let lines = headers.get_all(FORWARDED_FOR).iter().rev();
        // What is no text is nobody's address, and ends the search.
        let hops = lines.flat_map(|line| line.to_str().unwrap_or_default().rsplit(','));
        let mut client = peer.to_canonical();
        for hop in hops {
            let is_proxy = self.0.iter().any(|network| network.holds(client));
            let Some(before) = address(hop.trim()).filter(|_| is_proxy) else { break };
            client = before;
        }
        client
    }
}

impl Network {
    fn parse(text: &str) -> Option<Self> {
        let Some((address, prefix_bits)) = text.split_once('/') else {
            let address: IpAddr = text.parse().ok()?;
            let address = address.to_canonical();
            return Some(Self { address, prefix_bits: bits_of(address) });
        };
        let address: IpAddr = address.parse().ok()?;
        let prefix_bits = prefix_bits.parse().ok()?;
        let is_good = (PREFIX_BITS_MIN..=bits_of(address)).contains(&prefix_bits);
        is_good.then_some(Self { address, prefix_bits })
    }

    fn holds(self, address: IpAddr) -> bool {
        let differing = match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => u128::from(own.to_bits() ^ other.to_bits()),
            (IpAddr::V6(own), IpAddr::V6(other)) => own.to_bits() ^ other.to_bits(),
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => return false,
        };
        // Of 0 bits nothing is left to differ.
        let free_bits = bits_of(self.address).saturating_sub(self.prefix_bits);
        differing.checked_shr(free_bits).unwrap_or(0) == 0
    }
}

fn bits_of(address: IpAddr) -> u32 {
    if address.is_ipv4() { 32 } else { 128 }
}

/// An address as proxies write it, some with a port.
fn address(text: &str) -> Option<IpAddr> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let with_port = || text.parse::<SocketAddr>().ok().map(|address| address.ip());
    bare.parse::<IpAddr>().ok().or_else(with_port).map(|address| address.to_canonical())
}
