//! Ports for programs that tests start.

use std::collections::BTreeSet;
use std::fs;
use std::net::TcpListener;
use std::sync::{Mutex, PoisonError};

use crate::random;

/// Where ports that the kernel gives to whoever asks for any begin, if it does not say.
const USUAL_FIRST_GIVEN: u16 = 32_768;

/// Below are those of well-known programs.
const FIRST: u16 = 12_000;

/// A port on 127.0.0.1 that nobody listens on and that this process has not got from here before.
///
/// It is none of those the kernel gives away by itself, to listeners that take any port and to the near end of every
/// connection: a program that is started later, or again after a kill, finds it free.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn free_port() -> u16 {
    static TAKEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let end = first_given().max(FIRST + 1_000);
    for _ in 0..1_000 {
        let port = FIRST + u16::from_be_bytes(random::bytes()) % (end - FIRST);
        let is_new = TAKEN.lock().unwrap_or_else(PoisonError::into_inner).insert(port);
        if is_new && TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no port is free from {FIRST} to {end}");
}

/// The first port the kernel gives away by itself.
fn first_given() -> u16 {
    let range = fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").unwrap_or_default();
    range.split_whitespace().next().and_then(|first| first.parse().ok()).unwrap_or(USUAL_FIRST_GIVEN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_below_those_the_kernel_gives_away_and_never_given_twice() {
        let ports: BTreeSet<u16> = (0..50).map(|_| free_port()).collect();

        assert_eq!(ports.len(), 50);
        assert!(ports.iter().all(|port| *port < first_given()), "{ports:?}");
    }
}
