//! Replaces the parts of a transcript that differ between two runs.

/// Replaces ids, fingerprints, times and cards.
pub(crate) fn scrub(text: &str) -> String {
    let mut is_card = false;
    let lines = text.lines().filter(|line| {
        let goes_on = is_card && !line.is_empty() && line.len() <= 62 && is_base64url(line);
        is_card = goes_on || line.contains("encl-card1:");
        !goes_on
    });
    let lines: Vec<String> = lines.map(scrub_line).collect();
    lines.join("\n").replace("<day> <clock> +00:00", "<time>")
}

fn scrub_line(line: &str) -> String {
    let mut words: Vec<String> = line.split(' ').map(scrub_word).collect();
    let bare = |word: &str| word.trim_end_matches([';', ',']).len();
    let hex4 = |word: &String| bare(word) == 4 && is_hex(&word[..4]);
    while let Some(at) = words.windows(16).position(|group| group.iter().all(hex4)) {
        let end = words[at + 15][4..].to_owned();
        words.splice(at..at + 16, [format!("<fingerprint>{end}")]);
    }
    words.join(" ")
}

fn is_hex(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_digit() || ('a'..='f').contains(&c))
}

fn is_base64url(text: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
}

const WEEKDAYS: [&str; 7] = [
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
    "Sunday",
];

fn scrub_word(word: &str) -> String {
    let (front, rest) = word.split_at(word.len() - word.trim_start_matches(['"', '(', '`']).len());
    let (word, back) = rest.split_at(
        rest.trim_end_matches(['"', ',', ')', '`', ';', ':', '}', '.'])
            .len(),
    );
    let digits = |c: char| if c.is_ascii_digit() { '0' } else { c };
    let shape: String = word.chars().map(digits).collect();
    let token = word
        .split_once("1:")
        .filter(|(_, token)| token.len() == 24 && is_base64url(token));
    let scrubbed = match word {
        _ if token.is_some() => token.map_or(String::new(), |(kind, _)| format!("{kind}1:<token>")),
        _ if WEEKDAYS.contains(&word) => "<weekday>".to_owned(),
        _ if word.starts_with("encl-card1:") && word.len() > 60 => "<card>".to_owned(),
        _ if word.contains("encl-") && word.len() >= 29 => scrub_boundary(word),
        _ if word.contains(".R") && word.contains(".encl") => scrub_maildir(word),
        _ if word.len() == 64 && is_hex(word) => "<id>".to_owned(),
        _ if shape == "0000-00-00" => "<day>".to_owned(),
        _ if shape == "00:00:00" => "<clock>".to_owned(),
        _ if word.starts_with('{') => scrub_json(word),
        _ => word.to_owned(),
    };
    format!("{front}{scrubbed}{back}")
}

/// Replaces a boundary: `encl-` and 24 random digits.
fn scrub_boundary(word: &str) -> String {
    let mut pieces = word.split("encl-");
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let random = piece.get(..24).is_some_and(is_hex);
        out += if random { "encl-<random>" } else { "encl-" };
        out += if random { &piece[24..] } else { piece };
    }
    out
}

/// Replaces a new name in a Maildir: the second, `.R` and 32 random digits.
fn scrub_maildir(word: &str) -> String {
    let digits = |text: &str| text.bytes().rev().take_while(u8::is_ascii_digit).count();
    match word.split_once(".R") {
        Some((front, rest)) if rest.get(..32).is_some_and(is_hex) => {
            let front = &front[..front.len() - digits(front)];
            format!("{front}<name>{}", &rest[32..])
        }
        _ => word.to_owned(),
    }
}

/// Replaces ids in each string of a JSON text. Blanks occur only in strings, so a line is scrubbed in several pieces.
fn scrub_json(json: &str) -> String {
    let time = |text: &str| text.len() == 20 && text.ends_with('Z') && text.as_bytes()[10] == b'T';
    let hex = |text: &str| text.len() == 64 && text.chars().all(|c| c.is_ascii_hexdigit());
    let base64 = |text: &str| text.len() == 44 && text.ends_with('=');
    let piece = |text: &str| match text {
        _ if time(text) => "<time>".to_owned(),
        _ if hex(text) => "<id>".to_owned(),
        _ if base64(text) => "<base64>".to_owned(),
        _ => text.to_owned(),
    };
    json.split('"').map(piece).collect::<Vec<_>>().join("\"")
}
