//! Keys and keyfiles of Bittensor: signing and verifying in sr25519 and ed25519, mnemonics, URIs,
//! encrypted keyfiles, passwords and the standard wallet folder.
//!
//! The keys, phrases and files are those of the Python wallets, in both directions: whatever
//! `bittensor` 10 and 11 wrote opens here (NaCl, Ansible vault and the old Fernet files too), and
//! what is written here opens there. Not here: extrinsics (`adit-chain`) and signed requests
//! (`adit-protocol`).
//!
//! Opening an encrypted keyfile **blocks** and takes half a gibibyte for a second ([`decrypt`]):
//! async code does it in `spawn_blocking`.
//!
//! ```
//! use adit_wallet::{Keypair, SignatureScheme, verify};
//!
//! let alice = Keypair::from_uri("//Alice")?;
//! assert_eq!(
//!     alice.hotkey().to_string(),
//!     "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
//! );
//! let signature = alice.sign(b"a task");
//! let alice = alice.account();
//! assert!(verify(SignatureScheme::Sr25519, &alice, b"a task", &signature));
//! assert!(!verify(SignatureScheme::Sr25519, &alice, b"another", &signature));
//! # Ok::<(), adit_wallet::Error>(())
//! ```
//!
//! A wallet with an encrypted coldkey and a hotkey that a machine can use unattended:
//!
//! ```
//! use adit_wallet::{
//!     EncryptionFormat, Keypair, Mnemonic, Password, PasswordSource, Protection, Wallet,
//! };
//!
//! # let folder = std::env::temp_dir().join(format!("adit-wallet-doc-{}", std::process::id()));
//! let mut rng = rand::rng();
//! let phrase = Mnemonic::generate(&mut rng, 12)?; // write it down: it is the coldkey
//! let coldkey = Keypair::from_mnemonic(&phrase.expose(), "")?;
//! let password = Password::from("correct horse battery");
//! password.check_strength()?;
//!
//! let wallet = Wallet::named(&folder, "owner", "miner-1")?;
//! let sealed = Protection::Encrypted { format: EncryptionFormat::Nacl, password: &password };
//! wallet.create_coldkey(&coldkey, sealed, &mut rng)?;
//! let hotkey = Keypair::from_uri("//Alice//miner-1")?;
//! wallet.create_hotkey(&hotkey, Protection::Plaintext, &mut rng)?;
//!
//! // A neuron opens its hotkey; were it encrypted, the password would come from the environment
//! // or the terminal.
//! let keypair = wallet.unlock_hotkey(&PasswordSource::Usual)?;
//! assert_eq!(keypair.account(), hotkey.account());
//! assert_eq!(wallet.coldkey_public()?, coldkey.coldkey());
//! # std::fs::remove_dir_all(&folder).ok();
//! # Ok::<(), adit_wallet::Error>(())
//! ```

mod address;
mod encryption;
mod error;
mod keyfile;
mod keypair;
mod message;
mod mnemonic;
mod password;
mod polkadot_json;
mod signature;
mod uri;
mod wallet;

pub use address::{Ss58Address, is_valid_address_or_public_key};
pub use encryption::{EncryptionFormat, decrypt, encrypt};
pub use error::{Error, Result};
pub use keyfile::{Keyfile, LONGEST_KEYFILE};
pub use keypair::Keypair;
pub use message::python_message;
pub use mnemonic::Mnemonic;
pub use password::{
    LEAST_STRENGTH, LONGEST_PASSWORD, Password, PasswordSource, SHORTEST_PASSWORD, mask_password,
    password_variable, unmask_password,
};
#[cfg(feature = "keyring")]
pub use password::{forget_in_keyring, keep_in_keyring};
pub use signature::{SIGNATURE_LENGTH, Signature, SignatureScheme, verify, verify_wrapped};
pub use wallet::{
    Exposure, ListedKey, ListedWallet, Protection, SecretState, Wallet, exposure, list_wallets,
};
