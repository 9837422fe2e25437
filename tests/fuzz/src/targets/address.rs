//! Address lists: what is understood reads the same again when it is printed; encoded words in any text.

use encl::mail::address::{Mailbox, parse_list};
use encl::mail::words;

/// One input.
pub fn run(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    assert_eq!(words::decode(&words::encode(&text)), text);
    let _ = words::decode(&text);
    let Ok(list) = parse_list(&text) else { return };
    let printed: Vec<String> = list.iter().map(Mailbox::to_string).collect();
    assert_eq!(parse_list(&printed.join(", ")).as_ref(), Ok(&list));
    for mailbox in &list {
        assert!(!mailbox.local_part().is_empty() && !mailbox.domain().is_empty());
        let _ = mailbox.poses_as();
    }
}
