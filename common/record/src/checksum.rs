//! CRC-32 (ISO-HDLC, as in zlib): the frames' checksum.
//!
//! Two implementations of the same sum: the fast one brings 16 kB of tables that no compression shrinks, which is more
//! than the page's whole decoder; in the browser a table of 1 kB does.

/// The sum over all parts, one after the other.
#[cfg(not(target_arch = "wasm32"))]
pub(crate) fn crc32(parts: &[&[u8]]) -> u32 {
    let mut hasher = crc32fast::Hasher::new();
    parts.iter().for_each(|part| hasher.update(part));
    hasher.finalize()
}

/// The sum over all parts, one after the other.
#[cfg(target_arch = "wasm32")]
pub(crate) fn crc32(parts: &[&[u8]]) -> u32 {
    static TABLE: crc::Crc<u32, crc::Table<1>> = crc::Crc::<u32, crc::Table<1>>::new(&crc::CRC_32_ISO_HDLC);
    let mut digest = TABLE.digest();
    parts.iter().for_each(|part| digest.update(part));
    digest.finalize()
}

#[cfg(test)]
mod tests {
    use super::crc32;

    #[test]
    fn it_is_the_sum_that_zlib_makes_whatever_the_parts() {
        // The check value of CRC-32/ISO-HDLC in the catalogue of CRCs.
        assert_eq!(crc32(&[b"123456789"]), 0xcbf4_3926);
        assert_eq!(crc32(&[b"1234", b"", b"56789"]), 0xcbf4_3926);
    }

    #[test]
    fn the_browsers_implementation_makes_the_same_sum() {
        let bytes: Vec<u8> = (0..5_000_u32).map(|n| (n * 31 % 251) as u8).collect();
        let browsers = crc::Crc::<u32, crc::Table<1>>::new(&crc::CRC_32_ISO_HDLC);
        for length in [0, 1, 7, 64, 4_999, 5_000] {
            assert_eq!(crc32(&[&bytes[..length]]), browsers.checksum(&bytes[..length]));
        }
    }
}
