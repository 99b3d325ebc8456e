//! Keys and keyfiles of Bittensor: sr25519 signing, sr25519 and ed25519 verifying, mnemonics,
//! URIs and the standard wallet folder.
//!
//! The keys, phrases and files are those of the Python wallets, in both directions. Not here:
//! encrypted keyfiles (they are recognised and refused with [`Error::Encrypted`]), extrinsics
//! (`adit-chain`) and signed requests (`adit-protocol`).
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

mod error;
mod keyfile;
mod keypair;
mod mnemonic;
mod signature;
mod uri;
mod wallet;

pub use error::{EncryptionFormat, Error, Result};
pub use keyfile::{Keyfile, LONGEST_KEYFILE};
pub use keypair::Keypair;
pub use mnemonic::Mnemonic;
pub use signature::{SIGNATURE_LENGTH, Signature, SignatureScheme, verify, verify_wrapped};
pub use wallet::Wallet;
