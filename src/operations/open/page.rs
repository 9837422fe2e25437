//! Pages of the reader in the browser, alone or with an envelope behind them: is a file exactly what this project publishes?

use std::io::{self, BufReader, Read};

use crate::crypto::sha256;
use crate::envelope::{CarryingPage, OpenError, PAGE_BYTES_MAX, PageReader};
use crate::reader;

/// What a file is that was compared with the published pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckedPage {
    /// Its page.
    pub page: CarryingPage,
    /// The version of the page, if the project published it.
    pub version: Option<&'static str>,
    /// Whether an envelope stands behind the page.
    pub carries: bool,
}

/// Whether the project published the page that stood in front of an envelope.
#[must_use]
pub fn version_of(page: &CarryingPage) -> Option<&'static str> {
    reader::version_of(page.bytes, &page.sha256)
}

/// Compares a whole file with the published pages. An envelope behind a page has to stand there in the one form that there is; it is
/// not opened.
///
/// # Errors
/// Those of `input`, and what is wrong behind a page.
pub fn check(input: impl Read) -> Result<CheckedPage, OpenError> {
    let mut input = BufReader::new(input);
    let mut alone = Vec::new();
    let read = input.by_ref().take(PAGE_BYTES_MAX + 1);
    { read }.read_to_end(&mut alone).map_err(OpenError::Read)?;
    let (page, mut carried) = match PageReader::new(alone.as_slice().chain(input)) {
        Ok((Some(page), carried)) => (page, carried),
        Ok((None, _)) | Err(OpenError::NotAnEnvelope) => return Ok(without_envelope(&alone)),
        Err(error) => return Err(error),
    };
    io::copy(&mut carried, &mut io::sink()).map_err(OpenError::reading)?;
    Ok(CheckedPage {
        page,
        version: version_of(&page),
        carries: true,
    })
}

/// A longer one than can be is cut, and so it is none that the project published.
fn without_envelope(bytes: &[u8]) -> CheckedPage {
    let page = CarryingPage {
        bytes: bytes.len() as u64,
        sha256: sha256(&[bytes]),
    };
    CheckedPage {
        page,
        version: version_of(&page),
        carries: false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::{close_page, open_page};

    fn carrying(page: &[u8], behind: &[u8]) -> Vec<u8> {
        let mut file = Vec::new();
        open_page(page, &mut file).unwrap();
        file.extend_from_slice(b"-----BEGIN ENCL/1-----\nZW5jbC8xCg==\n-----END ENCL/1-----\n");
        close_page(&mut file).unwrap();
        file.extend_from_slice(behind);
        file
    }

    #[test]
    fn our_page_is_known_alone_and_with_an_envelope() {
        let alone = check(reader::PAGE).unwrap();
        assert_eq!(
            (alone.version, alone.carries),
            (Some(reader::VERSION), false)
        );
        let with = check(&*carrying(reader::PAGE, b"")).unwrap();
        assert_eq!((with.version, with.carries), (Some(reader::VERSION), true));
        assert_eq!(with.page, alone.page);
    }

    #[test]
    fn any_other_byte_makes_another_page() {
        let before = [b"<p>".as_slice(), reader::PAGE].concat();
        let behind = [reader::PAGE, b"<p>".as_slice()].concat();
        let mut within = reader::PAGE.to_vec();
        within[5_000] ^= 1;
        for page in [&before, &behind, &within] {
            assert_eq!(check(&**page).unwrap().version, None);
            assert_eq!(check(&*carrying(page, b"")).unwrap().version, None);
        }
        for file in [b"".as_slice(), b"encl/1\n", &vec![b'x'; 3 << 20]] {
            assert_eq!(check(file).unwrap().version, None);
        }
    }

    #[test]
    fn nothing_stands_behind_the_envelope() {
        let file = carrying(reader::PAGE, b"<meta http-equiv=refresh content=0>");
        check(&*file).unwrap_err();
    }
}
