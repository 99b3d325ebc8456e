//! Seals bytes to a round of drand's quicknet, or opens them with the round's signature:
//!
//! ```text
//! cargo run -p adit-chain --features timelock --example timelock -- seal 1000 68656c6c6f
//! cargo run -p adit-chain --features timelock --example timelock -- open SIGNATURE SEALED
//! ```

#![expect(clippy::print_stdout, reason = "an example speaks to its reader")]

use adit_chain::commit_reveal::{
    Beacon,
    timelock::{BeaconPublicKey, RoundSignature, open, seal},
};
use rand::{SeedableRng as _, rngs::StdRng};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let answer = match arguments[..] {
        ["seal", round, plaintext] => {
            let key = BeaconPublicKey::try_from(&Beacon::QUICKNET)?;
            let plaintext = hex::decode(plaintext)?;
            seal(&key, round.parse()?, &plaintext, &mut StdRng::from_os_rng())?
        }
        ["open", signature, sealed] => {
            let signature = RoundSignature::from_bytes(&hex::decode(signature)?)?;
            open(&hex::decode(sealed)?, &signature)?
        }
        _ => return Err("give `seal ROUND HEX` or `open SIGNATURE HEX`".into()),
    };
    println!("{}", hex::encode(answer));
    Ok(())
}
