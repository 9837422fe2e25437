//! A message on its way out.

pub(crate) mod author;
pub(crate) mod draft;
pub(crate) mod groups;
pub(crate) mod header_recipients;
pub(crate) mod maildir;
pub(crate) mod subprocess;
