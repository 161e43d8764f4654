//! Which addresses may be called on a person's word: a webhook must not become a way into the
//! network that the function runs in.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, ToSocketAddrs};

use aws_smithy_runtime_api::client::dns::{DnsFuture, ResolveDns, ResolveDnsError};

/// How far calls may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Public addresses only.
    Public,
    /// Those of a private network as well; never the function's own machine, link-local addresses
    /// and metadata services.
    Private,
    /// Any address: AWS itself, and the local AWS on a laptop.
    Anywhere,
}

impl Reach {
    /// Whether `address` may be called.
    pub fn allows(self, address: IpAddr) -> bool {
        match self {
            Self::Anywhere => true,
            Self::Private => is_public(address) || is_private(address),
            Self::Public => is_public(address),
        }
    }
}

/// Resolves a name once, refuses it if any of its addresses is refused, and hands on exactly the
/// addresses that were checked: the connection goes there, whatever the name means a moment later.
#[derive(Debug, Clone)]
pub(super) struct Resolver(pub(super) Reach);

/// A name that leads where calls may not go.
#[derive(Debug, thiserror::Error)]
#[error("`{name}` is {address}, which is not a public address; it is not called")]
pub(super) struct Refused {
    pub(super) name: String,
    pub(super) address: IpAddr,
}

impl ResolveDns for Resolver {
    fn resolve_dns<'a>(&'a self, name: &'a str) -> DnsFuture<'a> {
        let reach = self.0;
        let name = name.to_owned();
        DnsFuture::new(async move {
            let lookup = name.clone();
            // The system's resolver blocks.
            let addresses = tokio::task::spawn_blocking(move || {
                Ok((lookup.as_str(), 0).to_socket_addrs()?.map(|found| found.ip()).collect())
            });
            let addresses: Vec<IpAddr> = match addresses.await {
                Ok(found) => found.map_err(|error: std::io::Error| ResolveDnsError::new(error))?,
                Err(error) => return Err(ResolveDnsError::new(error)),
            };
            match addresses.iter().find(|address| !reach.allows(**address)) {
                Some(&address) => Err(ResolveDnsError::new(Refused { name, address })),
                None => Ok(addresses),
            }
        })
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => is_public_v4(v4),
        IpAddr::V6(v6) => is_public_v6(v6),
    }
}

/// Private networks (RFC 1918, 6598, 4193), but for `fd00:ec2::/32`: there EC2 serves metadata.
fn is_private(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_private() || (a == 100 && (64..128).contains(&b))
        }
        IpAddr::V6(v6) => v6.is_unique_local() && !matches!(v6.segments(), [0xfd00, 0x0ec2, ..]),
    }
}

/// IANA's special-purpose ranges are not public; 169.254/16 holds the metadata services.
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = match a {
        0 | 10 | 127 => true,
        100 => (64..128).contains(&b),
        169 => b == 254,
        172 => (16..32).contains(&b),
        192 => matches!((b, c), (168, _) | (0, 0 | 2) | (88, 99)),
        198 => matches!((b, c), (18 | 19, _) | (51, 100)),
        203 => (b, c) == (0, 113),
        _ => a >= 224,
    };
    !special
}

/// Only global unicast (`2000::/3`) is public. What carries an IPv4 address counts as that one
/// (mapped, 6to4, NAT64); Teredo and documentation are refused.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let embedded = |high: u16, low: u16| {
        let ([a, b], [c, d]) = (high.to_be_bytes(), low.to_be_bytes());
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match address.segments() {
        [0, 0, 0, 0, 0, 0xffff, high, low] | [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
            embedded(high, low)
        }
        [0x2002, high, low, ..] => embedded(high, low),
        [0x2001, 0 | 0x0db8, ..] => false,
        [first, ..] => first & 0xe000 == 0x2000,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_special_addresses_are_refused() {
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.1",
            "192.0.2.1",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.7",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:10.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "2002:7f00:1::",
            "2001::1",
            "2001:db8::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "ff02::1",
        ] {
            assert!(!Reach::Public.allows(address.parse().unwrap()), "{address}");
            assert!(Reach::Anywhere.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn public_addresses_are_allowed() {
        for address in [
            "1.1.1.1",
            "52.94.236.248",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "192.1.0.1",
            "198.20.0.1",
            "203.0.114.1",
            "223.255.255.254",
            "2606:4700:4700::1111",
            "::ffff:1.1.1.1",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert!(Reach::Public.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[test]
    fn a_private_network_has_no_way_to_the_machine_itself_nor_to_metadata() {
        for address in ["10.1.2.3", "100.64.0.1", "172.31.0.9", "192.168.1.1", "fd12::1", "1.1.1.1"]
        {
            assert!(Reach::Private.allows(address.parse().unwrap()), "{address}");
        }
        for address in [
            "0.0.0.0",
            "127.0.0.1",
            "169.254.169.254",
            "169.254.170.2",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fe80::1",
            "224.0.0.1",
        ] {
            assert!(!Reach::Private.allows(address.parse().unwrap()), "{address}");
        }
    }

    #[tokio::test]
    async fn a_name_that_leads_inside_is_refused_by_name() {
        for name in ["localhost", "127.1"] {
            let error = Resolver(Reach::Public).resolve_dns(name).await.unwrap_err();
            let refused = std::error::Error::source(&error).unwrap().to_string();
            assert!(refused.starts_with(&format!("`{name}` is ")), "{refused}");
            assert!(Resolver(Reach::Anywhere).resolve_dns(name).await.is_ok());
        }
    }
}
