//! Seeded chance: the same seed and the same requests give the same world.

use serde::{Deserialize, Serialize};

use crate::moment::Moment;
use crate::object_id::ObjectId;

/// A small generator (`SplitMix64`) whose whole state is one number, so that it can be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Dice(u64);

const ALPHANUMERIC: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`; 0 when the bound is 0.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next().checked_rem(bound).unwrap_or(0)
    }

    /// True in `share` of all throws (0 never, 1 always).
    pub(crate) fn chance(&mut self, share: f64) -> bool {
        // 30 bits are exact in an f64 and finer than any probability a person writes down.
        let throw = u32::try_from(self.below(1 << 30)).unwrap_or(0);
        f64::from(throw) / f64::from(1_u32 << 30) < share
    }

    /// Puts the items into another order.
    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            let bound = u64::try_from(last + 1).unwrap_or(1);
            let other = usize::try_from(self.below(bound)).unwrap_or(0);
            items.swap(last, other);
        }
    }

    /// A new id: seconds, chance, chance; ids of later seconds sort later.
    pub(crate) fn object_id(&mut self, now: Moment) -> ObjectId {
        let mut bytes = [0_u8; 12];
        let seconds = u32::try_from(now.second()).unwrap_or(0).to_be_bytes();
        for (byte, fresh) in
            bytes.iter_mut().zip(seconds.into_iter().chain(self.next().to_be_bytes()))
        {
            *byte = fresh;
        }
        ObjectId(bytes)
    }

    /// A random (version 4) UUID.
    pub(crate) fn uuid(&mut self) -> String {
        let high = self.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000;
        let low = self.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000;
        format!(
            "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
            high >> 32,
            high >> 16 & 0xFFFF,
            high & 0xFFFF,
            low >> 48,
            low & 0xFFFF_FFFF_FFFF
        )
    }

    /// `length` letters and digits.
    pub(crate) fn alphanumeric(&mut self, length: usize) -> String {
        let bound = u64::try_from(ALPHANUMERIC.len()).unwrap_or(1);
        (0..length)
            .map(|_| usize::try_from(self.below(bound)).unwrap_or(0))
            .filter_map(|at| ALPHANUMERIC.get(at).copied().map(char::from))
            .collect()
    }
}

/// Spreads the bits of a number.
pub(crate) fn mix(number: u64) -> u64 {
    let mut z = number;
    z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ z >> 31
}

/// A hash that is the same on every machine and in every release.
pub(crate) fn stable_hash(text: &str) -> u64 {
    let folded = text.bytes().fold(0xCBF2_9CE4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    mix(folded)
}
