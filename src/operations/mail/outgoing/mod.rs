//! Messages on their way out: who signs them, who can read them, and how they are sealed.

pub mod attachments;
pub mod author;
pub mod draft;
pub mod groups;
pub mod maildir;
pub mod recipients;
pub mod seal_message;
pub mod send;
