//! Where messages may go: an address is resolved, checked, and then that very address is connected to, so that no name
//! can lead somewhere else between the two.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The addresses of a host.
///
/// # Errors
/// It is not known, or it leads into a private network and that is not allowed.
pub(super) async fn resolved(
    host: &str,
    port: u16,
    allow_internal: bool,
) -> Result<Vec<SocketAddr>, String> {
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let found = tokio::net::lookup_host((bare, port)).await;
    let addresses: Vec<SocketAddr> = match found {
        Ok(addresses) => addresses.collect(),
        Err(_) => return Err("the host is not known".to_owned()),
    };
    if addresses.is_empty() {
        return Err("the host is not known".to_owned());
    }
    if !allow_internal && addresses.iter().any(|address| is_internal(address.ip())) {
        return Err("the host is in a private network: `alerts.allow_internal` lets it be called"
            .to_owned());
    }
    Ok(addresses)
}

/// Whether an address belongs to this machine, a private network, or nobody.
fn is_internal(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_internal_v4(address),
        IpAddr::V6(address) => is_internal_v6(address),
    }
}

fn is_internal_v4(address: Ipv4Addr) -> bool {
    let [first, second, third, _] = address.octets();
    address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_unspecified()
        || address.is_multicast()
        || address.is_broadcast()
        || address.is_documentation()
        || first == 0
        || first >= 240
        // Carriers' own networks, protocol assignments, benchmarks.
        || (first == 100 && (64..128).contains(&second))
        || (first, second, third) == (192, 0, 0)
        || (first == 198 && (18..20).contains(&second))
}

fn is_internal_v6(address: Ipv6Addr) -> bool {
    // What really is an older address is judged as that one.
    if let Some(older) = address.to_ipv4() {
        return address.is_loopback() || address.is_unspecified() || is_internal_v4(older);
    }
    let [first, second, .., seventh, eighth] = address.segments();
    let [a, b] = seventh.to_be_bytes();
    let [c, d] = eighth.to_be_bytes();
    match (first, second) {
        // Translated to an older address by the network.
        (0x64, 0xff9b) => is_internal_v4(Ipv4Addr::new(a, b, c, d)),
        // Tunnels carry an older address in their own.
        (0x2002, _) | (0x2001, 0 | 0xdb8) => true,
        _ => {
            address.is_loopback()
                || address.is_unspecified()
                || address.is_multicast()
                || (first & 0xfe00) == 0xfc00
                || (first & 0xffc0) == 0xfe80
                || (first & 0xffc0) == 0xfec0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_addresses_are_known_in_every_form() {
        for text in [
            "127.0.0.1",
            "127.9.9.9",
            "10.1.2.3",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "0.1.2.3",
            "100.64.0.1",
            "198.18.0.1",
            "192.0.0.8",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "fe80::1",
            "fec0::1",
            "fd00::1",
            "fc00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b::a00:1",
            "2002:7f00:1::1",
            "2001:db8::1",
            "2001::1",
        ] {
            assert!(is_internal(text.parse().unwrap()), "{text}");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "198.20.0.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
        ] {
            assert!(!is_internal(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn a_name_is_judged_by_what_it_leads_to() {
        let refused = resolved("localhost", 80, false).await.unwrap_err();
        assert!(refused.contains("allow_internal"), "{refused}");
        assert!(!resolved("localhost", 80, true).await.unwrap().is_empty());
        assert!(resolved("[::1]", 80, false).await.is_err());
        // Other ways to write an address are resolved too.
        for text in ["2130706433", "0x7f.1", "127.1"] {
            assert!(resolved(text, 80, false).await.is_err(), "{text}");
        }
    }
}
