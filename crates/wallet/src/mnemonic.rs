use std::fmt;

use rand::CryptoRng;
use zeroize::Zeroizing;

use crate::{Error, Result};

/// A phrase of 12, 15, 18, 21 or 24 English words (BIP 39) from which a key is made.
///
/// It is a secret: [`fmt::Debug`] hides it and only [`expose`](Self::expose) shows it.
#[derive(Clone)]
pub struct Mnemonic(bip39::Mnemonic);

impl Mnemonic {
    /// Draws a new phrase of `words` words.
    ///
    /// # Errors
    /// [`Error::WordCount`] unless `words` is 12, 15, 18, 21 or 24.
    pub fn generate<R: CryptoRng + ?Sized>(rng: &mut R, words: usize) -> Result<Self> {
        if !matches!(words, 12 | 15 | 18 | 21 | 24) {
            return Err(Error::WordCount { words });
        }
        let mut entropy = Zeroizing::new([0_u8; 32]);
        let length = words / 3 * 4;
        let entropy = entropy
            .get_mut(..length)
            .ok_or(Error::WordCount { words })?;
        rng.fill_bytes(entropy);
        bip39::Mnemonic::from_entropy_in(bip39::Language::English, entropy)
            .map(Self)
            .map_err(|_| Error::WordCount { words })
    }

    /// Reads a phrase; words are separated by any white space.
    ///
    /// # Errors
    /// [`Error::WordCount`], or [`Error::Mnemonic`] on an unknown word or a wrong checksum.
    pub fn parse(phrase: &str) -> Result<Self> {
        bip39::Mnemonic::parse_in_normalized(bip39::Language::English, phrase)
            .map(Self)
            .map_err(|error| match error {
                bip39::Error::BadWordCount(words) => Error::WordCount { words },
                bip39::Error::InvalidChecksum => Error::Mnemonic {
                    reason: "wrong checksum",
                },
                _ => Error::Mnemonic {
                    reason: "a word that is not in the English list",
                },
            })
    }

    /// The phrase itself, words separated by single spaces. Handle it like the key.
    pub fn expose(&self) -> Zeroizing<String> {
        let mut phrase = Zeroizing::new(String::with_capacity(24 * 9));
        for (index, word) in self.0.words().enumerate() {
            if index > 0 {
                phrase.push(' ');
            }
            phrase.push_str(word);
        }
        phrase
    }

    /// The number of words.
    pub fn word_count(&self) -> usize {
        self.0.word_count()
    }

    /// The seed by Substrate's rule: PBKDF2-HMAC-SHA512 over the *entropy* (not the phrase), salt
    /// `"mnemonic" ‖ password`, 2,048 rounds, the first 32 bytes.
    pub(crate) fn seed(&self, password: &str) -> Zeroizing<[u8; 32]> {
        let (entropy, length) = self.0.to_entropy_array();
        let entropy = Zeroizing::new(entropy);
        let mut salt = Zeroizing::new(String::with_capacity(8 + password.len()));
        salt.push_str("mnemonic");
        salt.push_str(password);
        let mut derived = Zeroizing::new([0_u8; 64]);
        pbkdf2::pbkdf2_hmac::<sha2::Sha512>(
            entropy.get(..length).unwrap_or_default(),
            salt.as_bytes(),
            2_048,
            derived.as_mut_slice(),
        );
        let mut seed = Zeroizing::new([0_u8; 32]);
        seed.copy_from_slice(&derived[..32]);
        seed
    }
}

impl fmt::Debug for Mnemonic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mnemonic({} words)", self.word_count())
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::{ChaCha20Rng, rand_core::SeedableRng};

    use super::*;

    #[test]
    fn a_drawn_phrase_reads_back_and_differs_from_the_next() {
        let mut rng = ChaCha20Rng::seed_from_u64(7);
        for words in [12, 15, 18, 21, 24] {
            let first = Mnemonic::generate(&mut rng, words).unwrap();
            let second = Mnemonic::generate(&mut rng, words).unwrap();
            assert_eq!(first.word_count(), words);
            assert_ne!(*first.expose(), *second.expose());
            let again = Mnemonic::parse(&first.expose()).unwrap();
            assert_eq!(*again.seed("pw"), *first.seed("pw"));
            assert_ne!(*again.seed(""), *first.seed("pw"));
        }
        for words in [0, 3, 11, 13, 27, usize::MAX] {
            assert!(matches!(
                Mnemonic::generate(&mut rng, words),
                Err(Error::WordCount { .. })
            ));
        }
    }

    #[test]
    fn debug_hides_the_words() {
        let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
        let shown = format!("{:?}", Mnemonic::parse(phrase).unwrap());
        assert_eq!(shown, "Mnemonic(12 words)");
    }
}
