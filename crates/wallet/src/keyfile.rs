use std::fmt;

use adit_primitives::AccountId;
use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{
    EncryptionFormat, Error, Keypair, Password, Result, SignatureScheme, decrypt,
    keypair::decode_hex,
};

/// Longest keyfile that is read, in bytes; a real one is below 2 KiB.
pub const LONGEST_KEYFILE: usize = 64 * 1024;

/// What a keyfile says, in any of the shapes the Python wallets read: JSON with any of
/// `secretPhrase`, `secretSeed`, `privateKey`, `ss58Address`, `accountId`, `publicKey`; a bare
/// seed in hex; a bare phrase.
pub struct Keyfile {
    secret: Option<Secret>,
    /// What the file says of its account, most telling first; a reason where it is not readable.
    stated: Vec<std::result::Result<AccountId, &'static str>>,
    crypto_type: Option<String>,
}

enum Secret {
    Phrase(Text),
    Seed(Text),
    PrivateKey(Text),
}

impl Keyfile {
    /// Reads the bytes of a keyfile that may be encrypted, with its password; the password of a
    /// plaintext file is not looked at. Blocks as [`decrypt`] does.
    ///
    /// # Errors
    /// Those of [`decrypt`], and those of [`parse`](Self::parse) for what was encrypted.
    pub fn open(bytes: &[u8], password: &Password) -> Result<Self> {
        match EncryptionFormat::of(bytes) {
            Some(_) => Self::parse(&decrypt(bytes, password)?),
            None => Self::parse(bytes),
        }
    }

    /// Reads the bytes of a plaintext keyfile.
    ///
    /// # Errors
    /// [`Error::Encrypted`] when it is in one of the encrypted formats, [`Error::Keyfile`] when
    /// it is neither JSON, a seed nor a phrase, or names no key at all.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let refuse = |reason| Error::Keyfile { reason };
        if let Some(format) = EncryptionFormat::of(bytes) {
            return Err(Error::Encrypted { format });
        }
        if bytes.len() > LONGEST_KEYFILE {
            return Err(refuse("longer than 64 KiB"));
        }
        let text = std::str::from_utf8(bytes).map_err(|_| refuse("not UTF-8 text"))?;
        let text = text.trim();
        if text.is_empty() {
            return Err(refuse("empty"));
        }
        let keyfile = if text.starts_with('{') {
            let fields: Fields =
                serde_json::from_str(text).map_err(|_| refuse("not the JSON of a keyfile"))?;
            Self::from_fields(fields)
        } else {
            Self::from_bare_secret(text)
        };
        if keyfile.secret.is_none() && keyfile.stated.is_empty() {
            return Err(refuse("names no key"));
        }
        Ok(keyfile)
    }

    fn from_fields(fields: Fields) -> Self {
        // The order in which the Python wallets choose.
        let secret = fields
            .phrase
            .map(Secret::Phrase)
            .or(fields.seed.map(Secret::Seed))
            .or(fields.private_key.map(Secret::PrivateKey));
        let address = fields.address.or(fields.misspelt_address).map(|text| {
            let address = text.0.parse::<AccountId>();
            address.map_err(|_| "its ss58Address is not an address of format 42")
        });
        let keys = [fields.public_key, fields.account_id].into_iter().flatten();
        let keys = keys.map(|text| {
            decode_hex::<32>(digits(&text.0))
                .map(|key| AccountId::new(*key))
                .map_err(|_| "its public key is not 32 bytes in hex")
        });
        Self {
            secret,
            stated: address.into_iter().chain(keys).collect(),
            crypto_type: fields.crypto_type.map(|CryptoType(text)| text),
        }
    }

    fn from_bare_secret(text: &str) -> Self {
        let secret = Text(Zeroizing::new(text.to_owned()));
        let is_seed =
            digits(text).len() == 64 && digits(text).bytes().all(|b| b.is_ascii_hexdigit());
        Self {
            secret: Some(if is_seed {
                Secret::Seed(secret)
            } else {
                Secret::Phrase(secret)
            }),
            stated: Vec::new(),
            crypto_type: None,
        }
    }

    /// The key, which must be the one of every address and public key the file states.
    ///
    /// # Errors
    /// [`Error::AddressMismatch`]; [`Error::Keyfile`] when it states an address that is none of
    /// Bittensor's; and those of [`keypair_ignoring_address`](Self::keypair_ignoring_address).
    pub fn keypair(&self) -> Result<Keypair> {
        let keypair = self.keypair_ignoring_address()?;
        let derived = keypair.account();
        for stated in &self.stated {
            let stated = stated.map_err(|reason| Error::Keyfile { reason })?;
            if stated != derived {
                return Err(Error::AddressMismatch { stated, derived });
            }
        }
        Ok(keypair)
    }

    /// The key of the secret, whatever address the file states, as the Python wallet up to 4.x
    /// reads it.
    ///
    /// # Errors
    /// [`Error::NoSecret`] when the file is public only, [`Error::CryptoType`] when it is neither
    /// an sr25519 nor an ed25519 key, otherwise what is wrong with the secret.
    pub fn keypair_ignoring_address(&self) -> Result<Keypair> {
        let scheme = self.scheme()?;
        match &self.secret {
            Some(Secret::Phrase(phrase)) => {
                Keypair::from_mnemonic_with_scheme(scheme, &phrase.0, "")
            }
            Some(Secret::Seed(seed)) => {
                let seed = decode_hex::<32>(digits(&seed.0))?;
                Ok(Keypair::from_seed_with_scheme(scheme, &seed))
            }
            Some(Secret::PrivateKey(key)) => {
                let digits = digits(&key.0);
                // An ed25519 key's is its seed, and the Python wallets read one of that length
                // as a seed of sr25519 too.
                if digits.len() == 64 || scheme == SignatureScheme::Ed25519 {
                    let seed = decode_hex::<32>(digits)?;
                    Ok(Keypair::from_seed_with_scheme(scheme, &seed))
                } else {
                    Keypair::from_secret_key(&*decode_hex::<64>(digits)?)
                }
            }
            None => Err(Error::NoSecret {
                account: self.stated_account()?,
            }),
        }
    }

    /// The scheme in which the key signs: its `cryptoType`, 0 for ed25519 and 1, or none, for
    /// sr25519.
    ///
    /// # Errors
    /// [`Error::CryptoType`] for every other.
    pub fn scheme(&self) -> Result<SignatureScheme> {
        match self.crypto_type.as_deref() {
            None | Some("1") => Ok(SignatureScheme::Sr25519),
            Some("0") => Ok(SignatureScheme::Ed25519),
            Some(other) => Err(Error::CryptoType {
                crypto_type: other.chars().take(80).collect(),
            }),
        }
    }

    /// The account: of the secret when there is one, otherwise the one the file states.
    ///
    /// The Python wallets refuse a file with nothing but `publicKey`; here it names its account.
    ///
    /// # Errors
    /// Those of [`keypair`](Self::keypair), except that neither a public file nor a key of an
    /// unknown kind is an error when the file states its account.
    pub fn account(&self) -> Result<AccountId> {
        match self.keypair() {
            Ok(keypair) => Ok(keypair.account()),
            Err(Error::NoSecret { account }) => Ok(account),
            Err(unknown @ Error::CryptoType { .. }) => self.stated_account().map_err(|_| unknown),
            Err(error) => Err(error),
        }
    }

    fn stated_account(&self) -> Result<AccountId> {
        let stated = self.stated.first().copied();
        stated
            .unwrap_or(Err("names no key"))
            .map_err(|reason| Error::Keyfile { reason })
    }

    /// Whether the file holds a secret.
    pub const fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// The JSON of a keyfile with every secret that is known of `keypair`, in plaintext.
    ///
    /// `cryptoType` is left out for sr25519: version 4.0.1 of the Python wallet fails on a number,
    /// and sr25519 is the default everywhere. That version knows no ed25519.
    pub fn secret_json(keypair: &Keypair) -> Zeroizing<String> {
        let mut json = Zeroizing::new(String::with_capacity(1_024));
        json.push('{');
        push_public(&mut json, keypair.account());
        let secret = keypair.expose_secret_key();
        let mut private_key = Zeroizing::new(vec![0_u8; 2 * secret.len()]);
        push_hex(&mut json, ",\"privateKey\":", &secret, &mut private_key);
        if let Some(phrase) = keypair.expose_phrase() {
            // English words need no escaping.
            json.push_str(",\"secretPhrase\":\"");
            json.push_str(&phrase);
            json.push('"');
        }
        if let Some(seed) = keypair.expose_seed() {
            let mut digits = Zeroizing::new([0_u8; 64]);
            push_hex(
                &mut json,
                ",\"secretSeed\":",
                seed.as_slice(),
                digits.as_mut_slice(),
            );
        }
        push_end(&mut json, keypair.account(), keypair.scheme());
        json
    }

    /// The JSON of a public keyfile, such as `coldkeypub.txt`.
    pub fn public_json(account: AccountId, scheme: SignatureScheme) -> String {
        let mut json = String::from("{");
        push_public(&mut json, account);
        push_end(&mut json, account, scheme);
        json
    }
}

fn push_public(json: &mut String, account: AccountId) {
    let key = hex::encode(account.as_bytes());
    json.push_str(&format!(
        "\"accountId\":\"0x{key}\",\"publicKey\":\"0x{key}\""
    ));
}

fn push_end(json: &mut String, account: AccountId, scheme: SignatureScheme) {
    json.push_str(&format!(",\"ss58Address\":\"{account}\""));
    json.push_str(match scheme {
        SignatureScheme::Sr25519 => "}",
        SignatureScheme::Ed25519 => ",\"cryptoType\":0}",
    });
}

/// Writes `name`, then `secret` as quoted hex, through a buffer that its owner overwrites.
fn push_hex(json: &mut String, name: &str, secret: &[u8], digits: &mut [u8]) {
    json.push_str(name);
    json.push_str("\"0x");
    if hex::encode_to_slice(secret, digits).is_ok() {
        json.extend(digits.iter().map(|&digit| char::from(digit)));
    }
    json.push('"');
}

fn digits(text: &str) -> &str {
    let text = text.trim();
    text.strip_prefix("0x").unwrap_or(text)
}

impl fmt::Debug for Keyfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyfile")
            .field("stated", &self.stated.first())
            .field("has_secret", &self.has_secret())
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Fields {
    #[serde(default, rename = "secretPhrase")]
    phrase: Option<Text>,
    #[serde(default, rename = "secretSeed")]
    seed: Option<Text>,
    #[serde(default, rename = "privateKey")]
    private_key: Option<Text>,
    #[serde(default, rename = "ss58Address")]
    address: Option<Text>,
    // Old wallets wrote the name with a blank in front.
    #[serde(default, rename = " ss58Address")]
    misspelt_address: Option<Text>,
    #[serde(default, rename = "publicKey")]
    public_key: Option<Text>,
    #[serde(default, rename = "accountId")]
    account_id: Option<Text>,
    #[serde(default, rename = "cryptoType")]
    crypto_type: Option<CryptoType>,
}

/// Text that is overwritten on drop.
struct Text(Zeroizing<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        String::deserialize(deserializer).map(|text| Self(Zeroizing::new(text)))
    }
}

/// A number, or a number or name as text.
struct CryptoType(String);

impl<'de> Deserialize<'de> for CryptoType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let value = serde_json::Value::deserialize(deserializer)?;
        Ok(Self(match value {
            serde_json::Value::String(mut text) => {
                let trimmed = text.trim().to_owned();
                text.zeroize();
                trimmed
            }
            other => other.to_string(),
        }))
    }
}
