//! Keys as polkadot.js exports and imports them: JSON of version 3.

use adit_primitives::AccountId;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use rand::CryptoRng;
use serde::Deserialize;
use zeroize::Zeroizing;

use crate::{
    Error, Keypair, LONGEST_KEYFILE, Password, Result, SignatureScheme,
    address::Ss58Address,
    encryption::{SecretBox, derive_with_memory},
};

/// PKCS #8 as polkadot.js frames a 64-byte secret …
const HEADER: [u8; 16] = [48, 83, 2, 1, 1, 48, 5, 6, 3, 43, 101, 112, 4, 34, 4, 32];
/// … and the public key behind it.
const DIVIDER: [u8; 5] = [161, 35, 3, 33, 0];
const FRAMED: usize = HEADER.len() + 64 + DIVIDER.len() + 32;

/// Salt and the three parameters before the secret box.
const SCRYPT: usize = 32 + 3 * 4;

/// What polkadot.js itself accepts, as log2 of N, p, r: at most 128 MiB of memory. Anything else
/// is refused before a byte is allocated.
const ACCEPTED: [(u8, u32, u32); 6] = [
    (13, 10, 8),
    (14, 5, 8),
    (15, 3, 8),
    (15, 1, 8),
    (16, 2, 8),
    (17, 1, 8),
];

#[derive(Deserialize)]
struct Exported {
    encoded: String,
    encoding: Encoding,
    #[serde(default)]
    address: Option<String>,
}

#[derive(Deserialize)]
struct Encoding {
    content: Vec<String>,
    #[serde(rename = "type")]
    kind: Vec<String>,
    version: String,
}

impl Keypair {
    /// The key that polkadot.js (or its browser extension) exported as JSON of version 3, sr25519
    /// or ed25519.
    ///
    /// The file may state its address in any network's format; it must be the secret's.
    /// **Blocks** for a good tenth of a second and takes up to 128 MiB, one at a time in the
    /// process, as [`decrypt`](crate::decrypt) does.
    ///
    /// # Errors
    /// [`Error::PolkadotJson`] when it is not such a text, when the password is wrong or the text
    /// was changed; [`Error::Scrypt`] for parameters that polkadot.js does not use;
    /// [`Error::AddressMismatch`] when the address is another key's.
    pub fn from_polkadot_json(json: &str, password: &Password) -> Result<Self> {
        let refuse = |reason| Error::PolkadotJson { reason };
        if json.len() > LONGEST_KEYFILE {
            return Err(refuse("longer than 64 KiB"));
        }
        let exported: Exported =
            serde_json::from_str(json).map_err(|_| refuse("not the JSON of an exported key"))?;
        let encoding = &exported.encoding;
        let has = |list: &[String], word: &str| list.iter().any(|entry| entry == word);
        if encoding.version != "3" || !has(&encoding.content, "pkcs8") {
            return Err(refuse("another version or content than 3 and pkcs8"));
        }
        if !has(&encoding.kind, "scrypt") || !has(&encoding.kind, "xsalsa20-poly1305") {
            return Err(refuse(
                "another encryption than scrypt and xsalsa20-poly1305",
            ));
        }
        let scheme = if has(&encoding.content, "sr25519") {
            SignatureScheme::Sr25519
        } else if has(&encoding.content, "ed25519") {
            SignatureScheme::Ed25519
        } else {
            return Err(refuse("another scheme than sr25519 and ed25519"));
        };
        let bytes = STANDARD
            .decode(exported.encoded.trim())
            .map_err(|_| refuse("not base 64"))?;
        if bytes.len() != SCRYPT + SecretBox::OVERHEAD + FRAMED {
            return Err(refuse("not the length of a key"));
        }
        let (parameters, sealed) = bytes.split_at(SCRYPT);
        let framed = SecretBox::new(&*derive_key(parameters, password)?)
            .open(sealed)
            .ok_or_else(|| refuse("wrong password or changed text"))?;
        let keypair = unframe(scheme, &framed)?;
        let stated = exported
            .address
            .map(|text| stated_account(&text).ok_or_else(|| refuse("its address is none")))
            .transpose()?;
        match stated {
            Some(stated) if stated != keypair.account() => Err(Error::AddressMismatch {
                stated,
                derived: keypair.account(),
            }),
            _ => Ok(keypair),
        }
    }

    /// This key as JSON of version 3, which polkadot.js and the Python wallets import, encrypted
    /// with scrypt at polkadot.js's present cost (N = 2^17, r = 8, p = 1).
    ///
    /// `name` is what wallets show for it. Blocks as
    /// [`from_polkadot_json`](Self::from_polkadot_json) does.
    ///
    /// # Errors
    /// [`Error::Memory`].
    pub fn to_polkadot_json<R: CryptoRng + ?Sized>(
        &self,
        password: &Password,
        name: &str,
        rng: &mut R,
    ) -> Result<String> {
        let mut bytes = vec![0_u8; 32];
        rng.fill_bytes(&mut bytes);
        for parameter in [1_u32 << 17, 1, 8] {
            bytes.extend(parameter.to_le_bytes());
        }
        let mut framed = Zeroizing::new(Vec::with_capacity(FRAMED));
        framed.extend(HEADER);
        framed.extend(self.expose_exported().iter());
        framed.extend(DIVIDER);
        framed.extend(self.account().as_bytes());
        let sealed = SecretBox::new(&*derive_key(&bytes, password)?).seal(&framed, rng);
        bytes.extend(sealed.ok_or(Error::PolkadotJson {
            reason: "too long to encrypt",
        })?);
        Ok(serde_json::json!({
            "encoded": STANDARD.encode(bytes),
            "encoding": {
                "content": ["pkcs8", self.scheme().to_string()],
                "type": ["scrypt", "xsalsa20-poly1305"],
                "version": "3",
            },
            "address": self.account(),
            "meta": { "name": name },
        })
        .to_string())
    }
}

fn unframe(scheme: SignatureScheme, framed: &[u8]) -> Result<Keypair> {
    let refuse = |reason| Error::PolkadotJson { reason };
    let rest = framed
        .strip_prefix(&HEADER)
        .ok_or_else(|| refuse("not PKCS #8"))?;
    let (secret, rest) = rest
        .split_first_chunk::<64>()
        .ok_or_else(|| refuse("not PKCS #8"))?;
    let public = rest
        .strip_prefix(&DIVIDER)
        .ok_or_else(|| refuse("not PKCS #8"))?;
    let keypair = match scheme {
        SignatureScheme::Sr25519 => Keypair::from_ed25519_form(secret)?,
        SignatureScheme::Ed25519 => {
            let mut seed = Zeroizing::new([0_u8; 32]);
            seed.copy_from_slice(&secret[..32]);
            Keypair::from_seed_with_scheme(scheme, &seed)
        }
    };
    if keypair.account().as_bytes().as_slice() != public {
        return Err(refuse("its public key is not its secret's"));
    }
    Ok(keypair)
}

/// The key to the secret box, by the salt and the parameters before it.
fn derive_key(parameters: &[u8], password: &Password) -> Result<Zeroizing<[u8; 32]>> {
    let refuse = || Error::PolkadotJson {
        reason: "not the length of a key",
    };
    let (salt, numbers) = parameters.split_at_checked(32).ok_or_else(refuse)?;
    let mut numbers = numbers
        .as_chunks::<4>()
        .0
        .iter()
        .map(|bytes| u32::from_le_bytes(*bytes));
    let mut number = || numbers.next().ok_or_else(refuse);
    let (n, p, r) = (number()?, number()?, number()?);
    let log_n = ACCEPTED
        .iter()
        .find(|(log_n, known_p, known_r)| (1 << log_n, *known_p, *known_r) == (n, p, r))
        .map(|(log_n, _, _)| *log_n)
        .ok_or(Error::Scrypt { n, r, p })?;
    let params = scrypt::Params::new(log_n, r, p, 32).map_err(|_| Error::Scrypt { n, r, p })?;
    let mut key = Zeroizing::new([0_u8; 32]);
    // The crate allocates for itself; this only takes the turn.
    derive_with_memory(0, 0_u8, |_| {
        let password = password.expose().as_bytes();
        scrypt::scrypt(password, salt, &params, key.as_mut_slice()).map_err(|_| Error::Scrypt {
            n,
            r,
            p,
        })
    })?;
    Ok(key)
}

/// Whose address it is, in any network's format or as a public key in hex.
fn stated_account(text: &str) -> Option<AccountId> {
    match text.strip_prefix("0x") {
        Some(digits) => crate::keypair::decode_hex::<32>(digits)
            .ok()
            .map(|key| AccountId::new(*key)),
        None => Ss58Address::parse(text).ok().map(|found| found.account),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng as _};
    use serde_json::Value;

    use super::*;

    /// A development key as the polkadot.js extension exported it in 2024, password `whoisalice`;
    /// published with the tests of subxt-signer (Apache-2.0).
    const ALICE: &str = r#"{"encoded":"DumgApKCTqoCty1OZW/8WS+sgo6RdpHhCwAkA2IoDBMAgAAAAQAAAAgAAAB6IG/q24EeVf0JqWqcBd5m2tKq5BlyY84IQ8oamLn9DZe9Ouhgunr7i36J1XxUnTI801axqL/ym1gil0U8440Qvj0lFVKwGuxq38zuifgoj0B3Yru0CI6QKEvQPU5xxj4MpyxdSxP+2PnTzYao0HDH0fulaGvlAYXfqtU89xrx2/z9z7IjSwS3oDFPXRQ9kAdDebtyCVreZ9Otw9v3","encoding":{"content":["pkcs8","sr25519"],"type":["scrypt","xsalsa20-poly1305"],"version":"3"},"address":"5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY","meta":{"genesisHash":"","name":"Alice","whenCreated":1718265838755}}"#;

    #[test]
    fn an_exported_key_is_imported_with_its_password_alone() {
        let alice = Keypair::from_polkadot_json(ALICE, &"whoisalice".into()).unwrap();
        let known = Keypair::from_uri("//Alice").unwrap();
        assert_eq!(alice.account(), known.account());
        assert_eq!(alice.expose_secret_key(), known.expose_secret_key());
        let wrong = Keypair::from_polkadot_json(ALICE, &"whoisbob".into());
        assert!(matches!(wrong, Err(Error::PolkadotJson { .. })));
    }

    #[test]
    fn what_is_exported_is_imported_again() {
        let mut rng = ChaCha20Rng::seed_from_u64(3);
        let password = Password::from("pässwörd");
        for scheme in [SignatureScheme::Sr25519, SignatureScheme::Ed25519] {
            let keypair = Keypair::from_uri_with_scheme(scheme, "//Bob").unwrap();
            let json = keypair
                .to_polkadot_json(&password, "Bob", &mut rng)
                .unwrap();
            let again = Keypair::from_polkadot_json(&json, &password).unwrap();
            assert_eq!(again.account(), keypair.account());
            assert_eq!(again.scheme(), scheme);
            assert_eq!(again.expose_secret_key(), keypair.expose_secret_key());
        }
    }

    #[test]
    fn the_address_may_be_of_another_network_but_not_of_another_key() {
        let state = |address: &str| {
            let mut json: Value = serde_json::from_str(ALICE).unwrap();
            json["address"] = address.into();
            Keypair::from_polkadot_json(&json.to_string(), &"whoisalice".into())
        };
        state("15oF4uVJwmo4TdGW7VfQxNLavjCXviqxT9S1MgbjMNHr6Sp5").unwrap();
        let bob = "5FHneW46xGXgs5mUiveU4sbTyGBzmstUspZC92UhjJM694ty";
        assert!(matches!(state(bob), Err(Error::AddressMismatch { .. })));
        assert!(matches!(state("nobody"), Err(Error::PolkadotJson { .. })));
    }

    #[test]
    fn hostile_parameters_are_refused_before_memory_is_taken() {
        for (n, p, r) in [
            (1_u32 << 31, 1_u32, 8_u32),
            (u32::MAX, u32::MAX, u32::MAX),
            (1 << 17, 1, 1 << 20),
            (1 << 17, 1 << 20, 8),
            (1 << 13, 1, 8),
            (0, 0, 0),
        ] {
            let mut json: Value = serde_json::from_str(ALICE).unwrap();
            let mut bytes = STANDARD.decode(json["encoded"].as_str().unwrap()).unwrap();
            for (at, number) in [(32, n), (36, p), (40, r)] {
                bytes[at..at + 4].copy_from_slice(&number.to_le_bytes());
            }
            json["encoded"] = STANDARD.encode(bytes).into();
            let refused = Keypair::from_polkadot_json(&json.to_string(), &"whoisalice".into());
            assert!(matches!(refused, Err(Error::Scrypt { .. })), "{n} {p} {r}");
        }
    }

    #[test]
    fn other_versions_and_broken_texts_are_named() {
        let change = |at: &[&str], value: Value| {
            let mut json: Value = serde_json::from_str(ALICE).unwrap();
            let mut place = &mut json;
            for name in at {
                place = &mut place[*name];
            }
            *place = value;
            json.to_string()
        };
        for text in [
            String::new(),
            "[]".into(),
            change(&["encoding", "version"], "2".into()),
            change(&["encoding", "version"], 3.into()),
            change(&["encoding", "type"], vec!["none"].into()),
            change(&["encoding", "content"], vec!["pkcs8", "ethereum"].into()),
            change(&["encoded"], "****".into()),
            change(&["encoded"], "AAAA".into()),
            format!("{ALICE}{}", " ".repeat(LONGEST_KEYFILE)),
        ] {
            let refused = Keypair::from_polkadot_json(&text, &"whoisalice".into());
            assert!(matches!(refused, Err(Error::PolkadotJson { .. })));
        }
    }

    proptest! {
        #[test]
        fn no_text_panics(text in ".{0,60}", encoded in "[a-zA-Z0-9+/]{0,80}") {
            let password = Password::from("password");
            let _ = Keypair::from_polkadot_json(&text, &password);
            let mut json: Value = serde_json::from_str(ALICE).unwrap();
            json["encoded"] = encoded.into();
            let _ = Keypair::from_polkadot_json(&json.to_string(), &password);
        }
    }
}
