//! The reader in the browser: one page that opens envelopes with nothing installed.
//!
//! The page is TypeScript in this folder, built by `build.mjs` into `dist/reader.html` and committed, so that building this crate needs
//! no node. A test builds it again and compares every byte.

use crate::crypto::sha256;

/// The page, the same bytes for everybody.
pub const PAGE: &[u8] = include_bytes!("dist/reader.html");

/// The version of the page: that of the release it belongs to.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Pages of earlier releases: length in bytes, SHA-256, version. A release adds the page that it replaces.
const EARLIER: [(u64, [u8; 32], &str); 0] = [];

/// The SHA-256 of [`PAGE`].
#[must_use]
pub fn page_sha256() -> [u8; 32] {
    sha256(&[PAGE])
}

/// The version of the page with this length in bytes and this SHA-256, if the project published it.
#[must_use]
pub fn version_of(bytes: u64, hash: &[u8; 32]) -> Option<&'static str> {
    if bytes == PAGE.len() as u64 && *hash == page_sha256() {
        return Some(VERSION);
    }
    let known = EARLIER
        .iter()
        .find(|known| (known.0, &known.1) == (bytes, hash));
    known.map(|known| known.2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_page_is_known_and_another_is_not() {
        let bytes = PAGE.len() as u64;
        assert_eq!(version_of(bytes, &page_sha256()), Some(VERSION));
        assert_eq!(version_of(bytes + 1, &page_sha256()), None);
        assert_eq!(version_of(bytes, &[0; 32]), None);
    }

    #[test]
    fn the_page_is_as_the_format_demands() {
        let page = std::str::from_utf8(PAGE).unwrap();
        assert!(page.starts_with("<!doctype html>\n"));
        assert!(
            page.ends_with("</script>\n"),
            "the tag follows in a line of its own"
        );
        assert!(!page.contains("<script type=\"text/plain\" id=\"envelope\">"));
        assert!(!page.contains("</body>") && !page.contains("</html>"));
        assert!(PAGE.len() <= 200_000, "{} bytes", PAGE.len());
        assert!(page.contains(VERSION));
    }
}
