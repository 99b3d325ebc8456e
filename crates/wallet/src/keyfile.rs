use std::fmt;

use adit_primitives::AccountId;
use serde::{Deserialize, Deserializer};
use zeroize::{Zeroize as _, Zeroizing};

use crate::{EncryptionFormat, Error, Keypair, Result, keypair::decode_hex};

/// Longest keyfile that is read, in bytes; a real one is below 2 KiB.
pub const LONGEST_KEYFILE: usize = 64 * 1024;

/// The `cryptoType` of sr25519; files without the field mean it too.
const SR25519: &str = "1";

/// What a plaintext keyfile says, in any of the shapes the Python wallets read: JSON with any of
/// `secretPhrase`, `secretSeed`, `privateKey`, `ss58Address`, `accountId`, `publicKey`; a bare
/// seed in hex; a bare phrase.
pub struct Keyfile {
    secret: Option<Secret>,
    address: Option<AccountId>,
    public_key: Option<AccountId>,
    crypto_type: Option<String>,
}

enum Secret {
    Phrase(Text),
    Seed(Text),
    PrivateKey(Text),
}

impl Keyfile {
    /// Reads the bytes of a keyfile.
    ///
    /// # Errors
    /// [`Error::Encrypted`] when it is in one of the encrypted formats, [`Error::Keyfile`] when
    /// it is neither JSON, a seed nor a phrase, or names no key at all.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        let refuse = |reason| Error::Keyfile { reason };
        if let Some(format) = encryption(bytes) {
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
            Self::from_fields(fields)?
        } else {
            Self::from_bare_secret(text)
        };
        if keyfile.secret.is_none() && keyfile.address.is_none() && keyfile.public_key.is_none() {
            return Err(refuse("names no key"));
        }
        Ok(keyfile)
    }

    fn from_fields(fields: Fields) -> Result<Self> {
        // The order in which the Python wallets choose.
        let secret = fields
            .phrase
            .map(Secret::Phrase)
            .or(fields.seed.map(Secret::Seed))
            .or(fields.private_key.map(Secret::PrivateKey));
        let address = fields
            .address
            .or(fields.misspelt_address)
            .map(|text| {
                text.0.parse().map_err(|_| Error::Keyfile {
                    reason: "its ss58Address is not an address of format 42",
                })
            })
            .transpose()?;
        let public_key = fields
            .public_key
            .or(fields.account_id)
            .map(|text| {
                decode_hex::<32>(digits(&text.0))
                    .map(|key| AccountId::new(*key))
                    .map_err(|_| Error::Keyfile {
                        reason: "its public key is not 32 bytes in hex",
                    })
            })
            .transpose()?;
        Ok(Self {
            secret,
            address,
            public_key,
            crypto_type: fields.crypto_type.map(|CryptoType(text)| text),
        })
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
            address: None,
            public_key: None,
            crypto_type: None,
        }
    }

    /// The key, which must be the one of the address the file states.
    ///
    /// # Errors
    /// [`Error::AddressMismatch`], and those of [`keypair_ignoring_address`](Self::keypair_ignoring_address).
    pub fn keypair(&self) -> Result<Keypair> {
        let keypair = self.keypair_ignoring_address()?;
        let derived = keypair.account();
        match self.address.or(self.public_key) {
            Some(stated) if stated != derived => Err(Error::AddressMismatch { stated, derived }),
            _ => Ok(keypair),
        }
    }

    /// The key of the secret, whatever address the file states, as the Python wallet up to 4.x
    /// reads it.
    ///
    /// # Errors
    /// [`Error::NoSecret`] when the file is public only, [`Error::CryptoType`] when it is not an
    /// sr25519 key, otherwise what is wrong with the secret.
    pub fn keypair_ignoring_address(&self) -> Result<Keypair> {
        if let Some(crypto_type) = self.crypto_type.as_ref().filter(|kind| *kind != SR25519) {
            return Err(Error::CryptoType {
                crypto_type: crypto_type.chars().take(80).collect(),
            });
        }
        match &self.secret {
            Some(Secret::Phrase(phrase)) => Keypair::from_mnemonic(&phrase.0, ""),
            Some(Secret::Seed(seed)) => {
                Ok(Keypair::from_seed(&*decode_hex::<32>(digits(&seed.0))?))
            }
            Some(Secret::PrivateKey(key)) => {
                Keypair::from_secret_key(&*decode_hex::<64>(digits(&key.0))?)
            }
            None => match self.address.or(self.public_key) {
                Some(account) => Err(Error::NoSecret { account }),
                None => Err(Error::Keyfile {
                    reason: "names no key",
                }),
            },
        }
    }

    /// The account: of the secret when there is one, otherwise the one the file states.
    ///
    /// The Python wallets refuse a file with nothing but `publicKey`; here it names its account.
    ///
    /// # Errors
    /// Those of [`keypair`](Self::keypair), except that a public file is no error.
    pub fn account(&self) -> Result<AccountId> {
        match self.keypair() {
            Ok(keypair) => Ok(keypair.account()),
            Err(Error::NoSecret { account }) => Ok(account),
            Err(Error::CryptoType { crypto_type }) => self
                .address
                .or(self.public_key)
                .ok_or(Error::CryptoType { crypto_type }),
            Err(error) => Err(error),
        }
    }

    /// Whether the file holds a secret.
    pub const fn has_secret(&self) -> bool {
        self.secret.is_some()
    }

    /// The JSON of a keyfile with every secret that is known of `keypair`, in plaintext.
    ///
    /// `cryptoType` is left out: version 4.0.1 of the Python wallet fails on a number, and
    /// sr25519 is the default everywhere.
    pub fn secret_json(keypair: &Keypair) -> Zeroizing<String> {
        let mut json = Zeroizing::new(String::with_capacity(1_024));
        json.push('{');
        push_public(&mut json, keypair.account());
        let mut private_key = Zeroizing::new([0_u8; 128]);
        push_hex(
            &mut json,
            ",\"privateKey\":",
            keypair.expose_secret_key().as_slice(),
            private_key.as_mut_slice(),
        );
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
        push_address(&mut json, keypair.account());
        json.push('}');
        json
    }

    /// The JSON of a public keyfile, such as `coldkeypub.txt`.
    pub fn public_json(account: AccountId) -> String {
        let mut json = String::from("{");
        push_public(&mut json, account);
        push_address(&mut json, account);
        json.push('}');
        json
    }
}

fn push_public(json: &mut String, account: AccountId) {
    let key = hex::encode(account.as_bytes());
    json.push_str(&format!(
        "\"accountId\":\"0x{key}\",\"publicKey\":\"0x{key}\""
    ));
}

fn push_address(json: &mut String, account: AccountId) {
    json.push_str(&format!(",\"ss58Address\":\"{account}\""));
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

fn encryption(bytes: &[u8]) -> Option<EncryptionFormat> {
    [
        (&b"$NACL"[..], EncryptionFormat::Nacl),
        (b"$ANSIBLE_VAULT", EncryptionFormat::AnsibleVault),
        (b"gAAAAA", EncryptionFormat::Fernet),
    ]
    .into_iter()
    .find(|(prefix, _)| bytes.starts_with(prefix))
    .map(|(_, format)| format)
}

impl fmt::Debug for Keyfile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyfile")
            .field("address", &self.address.or(self.public_key))
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
