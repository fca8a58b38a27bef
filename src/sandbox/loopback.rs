//! Brings up the loopback interface of a new network name space, as its only one.

use std::io;

use rustix::net::netlink::SocketAddrNetlink;
use rustix::net::{AddressFamily, SendFlags, SocketType, sendto, socket};

/// `RTM_NEWLINK`, `NLM_F_REQUEST` and `IFF_UP` of Linux's `rtnetlink.h`, `netlink.h` and `if.h`.
const NEW_LINK: u16 = 16;
const REQUEST: u16 = 1;
const UP: u32 = 1;

/// The loopback interface is always the first of its name space.
const INDEX: i32 = 1;

/// Switches it on.
pub(super) fn bring_up() -> io::Result<()> {
    // Without a protocol it is that of routes and interfaces.
    let netlink = socket(AddressFamily::NETLINK, SocketType::RAW, None)?;
    // struct nlmsghdr, then struct ifinfomsg.
    let mut message = Vec::with_capacity(32);
    message.extend(32_u32.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend(REQUEST.to_ne_bytes());
    message.extend([0; 8]);
    message.extend([0; 4]);
    message.extend(INDEX.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    sendto(&netlink, &message, SendFlags::empty(), &SocketAddrNetlink::new(0, 0))?;
    Ok(())
}
