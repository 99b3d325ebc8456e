use adit_primitives::AccountId;
use adit_testkit::load_json;
use adit_wallet::Keypair;
use serde::Deserialize;

#[derive(Deserialize)]
struct Golden {
    keys: Vec<Key>,
    addresses: Vec<Address>,
}

#[derive(Deserialize)]
struct Key {
    kind: String,
    input: String,
    ss58: Option<String>,
    public_key: Option<String>,
    seed: Option<String>,
    private_key: Option<String>,
}

#[derive(Deserialize)]
struct Address {
    address: String,
    label: String,
    #[serde(rename = "get_ss58_format")]
    format: Option<u16>,
    keypair_public_key: Option<String>,
}

fn golden() -> Golden {
    load_json("golden/chain/wallet.json").unwrap()
}

fn bytes<const N: usize>(text: &str) -> [u8; N] {
    hex::decode(text.strip_prefix("0x").unwrap())
        .unwrap()
        .try_into()
        .unwrap()
}

#[test]
fn every_key_is_the_one_the_python_wallet_derives() {
    let mut checked = 0;
    for key in golden().keys {
        let made = match key.kind.as_str() {
            "mnemonic" | "mnemonic_invalid" => Keypair::from_mnemonic(&key.input, ""),
            "seed" => Ok(Keypair::from_seed(&bytes(&key.input))),
            "uri" => Keypair::from_uri(&key.input),
            "private_key" => Keypair::from_secret_key(&bytes(&key.input)),
            kind => panic!("unknown kind {kind}"),
        };
        let Some(address) = key.ss58 else {
            assert!(made.is_err(), "{}", key.input);
            checked += 1;
            continue;
        };
        let made = made.unwrap_or_else(|error| panic!("{}: {error}", key.input));
        assert_eq!(made.account().to_string(), address, "{}", key.input);
        assert_eq!(*made.account().as_bytes(), bytes(&key.public_key.unwrap()));
        // The recording prints the seed of one `seed` case as raw bytes; its input is the seed.
        let seed = match key.kind.as_str() {
            "seed" => Some(key.input.clone()),
            _ => key.seed,
        };
        if let Some(seed) = seed {
            assert_eq!(*made.expose_seed().unwrap(), bytes::<32>(&seed));
        }
        // A soft step draws the nonce half of the secret at random.
        let soft = key.kind == "uri" && key.input.replace("//", "").contains('/');
        if let Some(private_key) = key.private_key.filter(|_| !soft) {
            let exposed = *made.expose_secret_key();
            assert_eq!(exposed, bytes::<64>(&private_key), "{}", key.input);
            let again = Keypair::from_secret_key(&exposed).unwrap();
            assert_eq!(again.account(), made.account());
        }
        checked += 1;
    }
    assert_eq!(checked, 52);
}

#[test]
fn a_password_makes_another_key_of_the_same_phrase() {
    let phrase = "bottom drive obey lake curtain smoke basket hold race lonely fit walk";
    let by_uri = Keypair::from_uri(&format!("{phrase}///pw")).unwrap();
    let by_phrase = Keypair::from_mnemonic(phrase, "pw").unwrap();
    assert_eq!(by_uri.account(), by_phrase.account());
    assert_ne!(
        by_uri.account(),
        Keypair::from_mnemonic(phrase, "").unwrap().account()
    );
}

#[test]
fn only_addresses_of_format_42_are_read() {
    let mut accepted = 0;
    for case in golden().addresses {
        let read = case.address.parse::<AccountId>();
        match case.keypair_public_key.filter(|_| case.format == Some(42)) {
            Some(public_key) => {
                let account = read.unwrap_or_else(|error| panic!("{}: {error}", case.label));
                assert_eq!(*account.as_bytes(), bytes(&public_key), "{}", case.label);
                assert_eq!(account.to_string(), case.address);
                accepted += 1;
            }
            None => assert!(read.is_err(), "{}", case.label),
        }
    }
    assert_eq!(accepted, 7);
}
