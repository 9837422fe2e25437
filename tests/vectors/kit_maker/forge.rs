//! Makes envelopes from FORMAT.md, so that each part can be replaced.

use encl::crypto::kdf::{self, ContentKey};
use encl::crypto::passphrase::{Cost, Passphrase};
use encl::crypto::signing::Purpose;
use encl::crypto::{Secret, hpke, sha256, sharing};
use encl::json::to_b64;
use encl::payload::seal_message;

use super::people::{BOB, CREATED, Person, Rng};

/// One lock: `need` of these people open it, or the passphrase does.
#[derive(Clone, Default)]
pub(crate) struct Lock {
    pub(crate) need: u8,
    pub(crate) people: Vec<&'static Person>,
    pub(crate) words: Option<&'static str>,
    /// Its policy does not commit to the passphrase: written by an older program.
    pub(crate) is_old: bool,
}

impl Lock {
    pub(crate) fn of(need: u8, people: &[&'static Person]) -> Self {
        Self {
            need,
            people: people.to_vec(),
            ..Self::default()
        }
    }

    pub(crate) fn or(self, words: &'static str) -> Self {
        Self {
            words: Some(words),
            ..self
        }
    }

    pub(crate) fn old(self) -> Self {
        Self {
            is_old: true,
            ..self
        }
    }
}

/// The description of an envelope.
#[derive(Clone)]
pub(crate) struct Wish {
    pub(crate) locks: Vec<Lock>,
    pub(crate) signer: Option<&'static Person>,
    pub(crate) private: bool,
    pub(crate) padded: bool,
    /// Additional members of the policy, each followed by a comma.
    pub(crate) members: String,
}

impl Wish {
    pub(crate) fn locks(locks: &[Lock]) -> Self {
        Self {
            locks: locks.to_vec(),
            signer: None,
            private: false,
            padded: false,
            members: String::new(),
        }
    }

    /// An envelope that any one of these people opens.
    pub(crate) fn of(people: &[&'static Person]) -> Self {
        Self::locks(&[Lock::of(1, people)])
    }

    pub(crate) fn signed(self, signer: &'static Person) -> Self {
        Self {
            signer: Some(signer),
            ..self
        }
    }

    pub(crate) fn private(self) -> Self {
        Self {
            private: true,
            ..self
        }
    }

    pub(crate) fn padded(self) -> Self {
        Self {
            padded: true,
            ..self
        }
    }

    pub(crate) fn saying(self, members: &str) -> Self {
        Self {
            members: members.to_owned(),
            ..self
        }
    }

    pub(crate) fn forge(self, seed: &'static str) -> Forge {
        Forge::new(seed, self)
    }
}

/// Makes everything that an author, or an insider who knows the secrets, can make.
#[derive(Clone)]
pub(crate) struct Forge {
    seed: &'static str,
    pub(crate) wish: Wish,
    pub(crate) policy: String,
    pub(crate) secrets: Vec<[u8; 32]>,
    /// For each lock, the content of its holders' slots: the secret, or their shares.
    pub(crate) parts: Vec<Vec<Vec<u8>>>,
}

impl Forge {
    fn new(seed: &'static str, wish: Wish) -> Self {
        let mut forge = Self {
            seed,
            wish,
            policy: String::new(),
            secrets: Vec::new(),
            parts: Vec::new(),
        };
        let mut locks = Vec::new();
        for (number, lock) in forge.wish.locks.clone().iter().enumerate() {
            let name = format!("secret {number}");
            let secret: [u8; 32] = forge.rng(&[name.as_bytes()]).array();
            let of = u8::try_from(lock.people.len()).unwrap();
            let parts: Vec<Vec<u8>> = match lock.need {
                1 => vec![secret.to_vec(); lock.people.len()],
                need => {
                    let mut rng = forge.rng(&[name.as_bytes(), b"shares"]);
                    let shares = sharing::split(&Secret::new(secret), need, of, &mut rng);
                    shares.iter().map(|share| share.expose().to_vec()).collect()
                }
            };
            locks.push(forge.lock(lock, &secret, &parts));
            forge.secrets.push(secret);
            forge.parts.push(parts);
        }
        forge.policy = forge.policy_of(&locks);
        forge
    }

    fn policy_of(&self, locks: &[String]) -> String {
        let Wish {
            signer,
            private,
            padded,
            members,
            ..
        } = &self.wish;
        let named = signer.filter(|_| !private);
        let signer_member = named.map_or(String::new(), |signer| {
            format!(r#""signer":"{}","#, signer.id())
        });
        let created = if *private {
            String::new()
        } else {
            format!(r#""created":"{CREATED}","#)
        };
        let (signed, padding) = (signer.is_some(), if *padded { "padme" } else { "none" });
        let locks = locks.join(",");
        format!(
            r#"{{"signed":{signed},"private":{private},"padding":"{padding}",{signer_member}{created}{members}"locks":[{locks}]}}"#
        )
    }

    fn lock(&self, lock: &Lock, secret: &[u8; 32], parts: &[Vec<u8>]) -> String {
        let commit = to_b64(&kdf::lock_commitment(&Secret::new(*secret)));
        let mut members = vec![
            r#""kind":"recipients""#.to_owned(),
            format!(r#""need":{}"#, lock.need),
            format!(r#""commit":"{commit}""#),
        ];
        if lock.need > 1 {
            let share = |share: &Vec<u8>| format!("\"{}\"", to_b64(&kdf::share_hash(share)));
            let shares: Vec<_> = parts.iter().map(share).collect();
            members.push(format!(r#""shares":[{}]"#, shares.join(",")));
        }
        if let Some(words) = lock.words {
            members.push(r#""passphrase":16"#.to_owned());
            if !lock.is_old {
                let commit = to_b64(&commitment(&self.salt(words), words, secret));
                members.push(format!(r#""passphrase_commit":"{commit}""#));
            }
        }
        if !self.wish.private {
            members.push(format!(r#""recipients":[{}]"#, list(lock)));
        }
        format!("{{{}}}", members.join(","))
    }

    pub(crate) fn rng(&self, parts: &[&[u8]]) -> Rng {
        Rng::of(&[&[self.seed.as_bytes()], parts].concat())
    }

    /// The same secrets under another policy.
    pub(crate) fn with_policy(&self, policy: String) -> Self {
        Self {
            policy,
            ..self.clone()
        }
    }

    /// The same envelope with other random bytes from now on.
    pub(crate) fn drawing(&self, seed: &'static str) -> Self {
        Self {
            seed,
            ..self.clone()
        }
    }

    /// The envelope's id.
    pub(crate) fn p(&self) -> [u8; 32] {
        sha256(&[b"encl/1\n", self.policy.as_bytes(), b"\n"])
    }

    fn content_key(&self) -> ContentKey {
        let secrets: Vec<_> = self
            .secrets
            .iter()
            .map(|secret| Secret::new(*secret))
            .collect();
        ContentKey::new(&self.p(), &secrets)
    }

    /// The honest slots, in the order of the policy.
    pub(crate) fn slots(&self) -> Vec<String> {
        let mut slots = Vec::new();
        for (number, lock) in (0..).zip(&self.wish.locks) {
            for (person, part) in lock.people.iter().zip(&self.parts[usize::from(number)]) {
                slots.push(self.slot(number, person, part, ""));
            }
            if let Some(words) = lock.words {
                let secret = &self.secrets[usize::from(number)];
                slots.push(self.passphrase_slot(number, words, secret));
            }
        }
        slots
    }

    /// A slot with any plaintext, followed by additional members.
    pub(crate) fn slot(&self, lock: u16, to: &Person, plaintext: &[u8], more: &str) -> String {
        let info = kdf::slot_info(&self.p(), lock);
        let (enc, ct) = self.seal(to, &info, plaintext);
        let key = if self.wish.private {
            String::new()
        } else {
            format!(r#""key":"{}","#, to.key())
        };
        format!(r#"{{"lock":{lock},{key}"enc":"{enc}","ct":"{ct}"{more}}}"#)
    }

    pub(crate) fn seal(&self, to: &Person, info: &[u8], plaintext: &[u8]) -> (String, String) {
        let mut rng = self.rng(&[info, &to.key_id().0, plaintext]);
        let sealed = hpke::seal(&to.public(), info, plaintext, &mut rng).unwrap();
        (to_b64(&sealed.enc), to_b64(&sealed.ct))
    }

    /// The salt of the slot for these words.
    pub(crate) fn salt(&self, words: &str) -> [u8; 16] {
        self.rng(&[b"salt", words.as_bytes()]).array()
    }

    pub(crate) fn passphrase_slot(&self, lock: u16, words: &str, plaintext: &[u8]) -> String {
        self.salted_slot(lock, (words, &self.salt(words)), plaintext)
    }

    /// A slot for any words, with any salt.
    pub(crate) fn salted_slot(
        &self,
        lock: u16,
        (words, salt): (&str, &[u8; 16]),
        plaintext: &[u8],
    ) -> String {
        let context = kdf::passphrase_context(&self.p(), lock);
        let mut rng = self.rng(&[&context, plaintext]);
        let ct = seal_message(&derived(salt, words), &context, plaintext, &mut rng);
        let (salt, ct) = (to_b64(salt), to_b64(&ct));
        format!(r#"{{"lock":{lock},"salt":"{salt}","ct":"{ct}"}}"#)
    }

    /// A slot for a newcomer, granted by `by`.
    pub(crate) fn granted(&self, lock: u16, to: &Person, part: &[u8], by: &Person) -> String {
        let (name, address) = (&to.name, to.address());
        let (p, key, id) = (self.p(), to.key_id().0, to.root.id().0);
        let lp = |text: &str| {
            let bytes = u32::try_from(text.len()).unwrap().to_be_bytes();
            [&bytes, text.as_bytes()].concat()
        };
        let texts = [lp(CREATED), lp(name), lp(&address)].concat();
        let message: [&[u8]; 5] = [&p, &lock.to_be_bytes(), &key, &id, &texts];
        let sig = to_b64(&by.root.sign(Purpose::Grant, &message).0);
        let (id, by) = (to.id(), by.id());
        let grant = format!(
            r#","grant":{{"name":"{name}","address":"{address}","id":"{id}","by":"{by}","at":"{CREATED}","sig":"{sig}"}}"#
        );
        self.slot(lock, to, part, &grant)
    }

    /// The line of an approval, which a holder sends to a reader.
    pub(crate) fn approval(&self, lock: u16, to: &Person, part: &[u8]) -> String {
        let info = kdf::approval_info(&self.p(), lock);
        let (enc, ct) = self.seal(to, &info, part);
        let (policy, key) = (to_b64(&self.p()), to.key());
        format!(
            r#"{{"approval":"encl/1","policy":"{policy}","lock":{lock},"key":"{key}","enc":"{enc}","ct":"{ct}"}}"#
        )
    }

    /// The private line with the required members and these additional ones.
    pub(crate) fn private_line(&self, members: &str) -> String {
        let mut all: Vec<String> = Vec::new();
        if !members.is_empty() {
            all.push(members.to_owned());
        }
        if self.wish.private {
            let lists: Vec<_> = self
                .wish
                .locks
                .iter()
                .map(|lock| format!("[{}]", list(lock)))
                .collect();
            all.push(format!(r#""recipients":[{}]"#, lists.join(",")));
            if let Some(signer) = self.wish.signer {
                all.push(format!(r#""signer":"{}""#, signer.id()));
            }
        }
        format!("{{{}}}", all.join(","))
    }

    /// D.
    pub(crate) fn data(&self, content: &[u8]) -> Vec<u8> {
        [self.private_line("").as_bytes(), b"\n", content].concat()
    }

    /// M.
    pub(crate) fn message(&self, data: &[u8]) -> Vec<u8> {
        let signature = match self.wish.signer {
            Some(signer) => self.signature(signer, data).to_vec(),
            None => Vec::new(),
        };
        let mut message = data.to_vec();
        if self.wish.padded {
            message.push(0x80);
            let length = padme(message.len() + signature.len());
            message.resize(length - signature.len(), 0);
        }
        [message, signature].concat()
    }

    pub(crate) fn signature(&self, signer: &Person, data: &[u8]) -> [u8; 64] {
        let blocks: Vec<u8> = data
            .chunks(16_384)
            .flat_map(|block| sha256(&[block]))
            .collect();
        let length = (data.len() as u64).to_be_bytes();
        let message: [&[u8]; 3] = [&self.p(), &length, &sha256(&[&blocks])];
        signer.root.sign(Purpose::Envelope, &message).0
    }

    pub(crate) fn payload(&self, message: &[u8]) -> Vec<u8> {
        let mut rng = self.rng(&[b"payload", &self.p(), message]);
        seal_message(
            &self.content_key().payload_key(),
            &self.p(),
            message,
            &mut rng,
        )
    }

    /// Lines 1 to 4.
    pub(crate) fn head(&self, access: &str) -> Vec<u8> {
        let front = format!("encl/1\n{}\n{access}\n", self.policy);
        let mac = to_b64(&self.content_key().mac(&sha256(&[front.as_bytes()])));
        format!("{front}{mac}\n").into_bytes()
    }

    /// An envelope with any access line and any M; the rest is honest.
    pub(crate) fn envelope(&self, access: &str, message: &[u8]) -> Vec<u8> {
        [self.head(access), self.payload(message)].concat()
    }

    /// An envelope with these slots; the rest is honest.
    pub(crate) fn with_slots(&self, slots: &[String], content: &[u8]) -> Vec<u8> {
        self.envelope(&access(slots), &self.message(&self.data(content)))
    }

    /// An envelope with any M; the rest is honest.
    pub(crate) fn with_message(&self, message: &[u8]) -> Vec<u8> {
        self.envelope(&access(&self.slots()), message)
    }

    pub(crate) fn honest(&self, content: &[u8]) -> Vec<u8> {
        self.with_slots(&self.slots(), content)
    }
}

/// A simple envelope for Bob.
pub(crate) fn plain() -> Forge {
    Wish::of(&[&BOB]).forge("plain")
}

pub(crate) fn access(slots: &[String]) -> String {
    format!(r#"{{"slots":[{}]}}"#, slots.join(","))
}

fn derived(salt: &[u8; 16], words: &str) -> Secret<32> {
    let words = Passphrase::new(words).unwrap();
    words.derive(salt, Cost::DEFAULT).unwrap()
}

/// FORMAT.md, "Secrets".
pub(crate) fn commitment(salt: &[u8; 16], words: &str, secret: &[u8; 32]) -> [u8; 32] {
    let key = derived(salt, words);
    sha256(&[b"encl/1 passphrase commit\0", salt, key.expose(), secret])
}

fn list(lock: &Lock) -> String {
    let people: Vec<_> = lock
        .people
        .iter()
        .map(|person| person.recipient())
        .collect();
    people.join(",")
}

/// FORMAT.md, "Padding".
fn padme(length: usize) -> usize {
    let e = length.ilog2();
    let mask = (1 << (e - (e.ilog2() + 1))) - 1;
    (length + mask) & !mask
}
