//! What a commitment is made of, as the live chain encodes it.

use codec::{Decode, DecodeWithMemTracking, Encode, Input, Output};
use frame_support::{BoundedVec, traits::ConstU32};
use scale_info::{
    Path, Type, TypeInfo,
    build::{Fields, Variants},
};

/// Bytes a field holds in place.
const MOST_RAW: usize = 128;

/// What a neuron publishes: at most three fields.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub struct CommitmentInfo {
    /// The fields.
    pub fields: BoundedVec<Data, ConstU32<3>>,
}

impl CommitmentInfo {
    /// Bytes the fields hold.
    pub(crate) fn space(&self) -> u64 {
        self.fields.iter().map(Data::space).sum()
    }

    /// The round that opens the first sealed field.
    pub(crate) fn reveal_round(&self) -> Option<u64> {
        self.fields.iter().find_map(|field| match field {
            Data::TimelockEncrypted { reveal_round, .. } => Some(*reveal_round),
            _ => None,
        })
    }
}

/// A commitment as it is stored.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Encode, Eq, PartialEq, TypeInfo)]
pub(crate) struct Registration {
    /// Nothing is held back nowadays.
    pub deposit: u64,
    /// Block it was published in.
    pub block: u32,
    /// What was published.
    pub info: CommitmentInfo,
}

/// What a neuron used of its budget.
#[derive(Clone, Debug, Decode, DecodeWithMemTracking, Default, Encode, Eq, PartialEq, TypeInfo)]
pub struct UsageTracker {
    /// The epoch it is counted for.
    pub last_epoch: u64,
    /// Bytes.
    pub used_space: u64,
}

/// One field. On the wire a byte says which kind, and for bytes in place how many: 1 + length.
#[derive(Clone, Debug, DecodeWithMemTracking, Eq, PartialEq)]
pub enum Data {
    /// Nothing.
    None,
    /// Up to 128 bytes in place.
    Raw(BoundedVec<u8, ConstU32<128>>),
    /// A BLAKE2b-256 hash.
    BlakeTwo256([u8; 32]),
    /// A SHA-256 hash.
    Sha256([u8; 32]),
    /// A Keccak-256 hash.
    Keccak256([u8; 32]),
    /// A SHA3-256 hash.
    ShaThree256([u8; 32]),
    /// Bytes that a round of the beacon opens.
    TimelockEncrypted {
        /// The ciphertext.
        encrypted: BoundedVec<u8, ConstU32<1024>>,
        /// The round.
        reveal_round: u64,
    },
    /// Asks for the neuron's bonds to start anew.
    ResetBondsFlag,
    /// Up to 512 bytes.
    BigRaw(BoundedVec<u8, ConstU32<512>>),
}

impl Data {
    fn space(&self) -> u64 {
        let bytes = match self {
            Self::None | Self::ResetBondsFlag => 0,
            Self::Raw(bytes) => bytes.len(),
            Self::BigRaw(bytes) => bytes.len(),
            Self::TimelockEncrypted { encrypted, .. } => encrypted.len(),
            _ => 32,
        };
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

impl Encode for Data {
    fn encode_to<O: Output + ?Sized>(&self, out: &mut O) {
        match self {
            Self::None => out.push_byte(0),
            Self::Raw(bytes) => {
                out.push_byte(u8::try_from(bytes.len() + 1).unwrap_or(u8::MAX));
                out.write(bytes);
            }
            Self::BlakeTwo256(hash) => (130_u8, hash).encode_to(out),
            Self::Sha256(hash) => (131_u8, hash).encode_to(out),
            Self::Keccak256(hash) => (132_u8, hash).encode_to(out),
            Self::ShaThree256(hash) => (133_u8, hash).encode_to(out),
            Self::TimelockEncrypted {
                encrypted,
                reveal_round,
            } => (134_u8, encrypted, reveal_round).encode_to(out),
            Self::ResetBondsFlag => out.push_byte(135),
            Self::BigRaw(bytes) => (136_u8, bytes).encode_to(out),
        }
    }
}

impl codec::EncodeLike for Data {}

impl Decode for Data {
    fn decode<I: Input>(input: &mut I) -> Result<Self, codec::Error> {
        Ok(match input.read_byte()? {
            0 => Self::None,
            kind @ 1..=129 => {
                let mut bytes = vec![0; usize::from(kind - 1).min(MOST_RAW)];
                input.read(&mut bytes)?;
                Self::Raw(bytes.try_into().map_err(|_| "a raw field is too long")?)
            }
            130 => Self::BlakeTwo256(Decode::decode(input)?),
            131 => Self::Sha256(Decode::decode(input)?),
            132 => Self::Keccak256(Decode::decode(input)?),
            133 => Self::ShaThree256(Decode::decode(input)?),
            134 => Self::TimelockEncrypted {
                encrypted: Decode::decode(input)?,
                reveal_round: Decode::decode(input)?,
            },
            135 => Self::ResetBondsFlag,
            136 => Self::BigRaw(Decode::decode(input)?),
            _ => return Err("no such kind of field".into()),
        })
    }
}

macro_rules! raw_variants {
    ($variants:expr, $($length:literal)*) => {
        $variants$(.variant(concat!("Raw", $length), |variant| {
            variant
                .index($length + 1)
                .fields(Fields::unnamed().field(|field| field.ty::<[u8; $length]>()))
        }))*
    };
}

impl TypeInfo for Data {
    type Identity = Self;

    fn type_info() -> Type {
        let variants = Variants::new().variant("None", |variant| variant.index(0));
        let variants = raw_variants!(variants,
            0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60
            61 62 63 64 65 66 67 68 69 70 71 72 73 74 75 76 77 78 79 80 81 82 83 84 85 86 87 88 89
            90 91 92 93 94 95 96 97 98 99 100 101 102 103 104 105 106 107 108 109 110 111 112 113
            114 115 116 117 118 119 120 121 122 123 124 125 126 127 128
        );
        let hashes = [
            ("BlakeTwo256", 130),
            ("Sha256", 131),
            ("Keccak256", 132),
            ("ShaThree256", 133),
        ];
        let variants = hashes
            .into_iter()
            .fold(variants, |variants, (name, index)| {
                variants.variant(name, |variant| {
                    variant
                        .index(index)
                        .fields(Fields::unnamed().field(|field| field.ty::<[u8; 32]>()))
                })
            });
        let variants = variants
            .variant("TimelockEncrypted", |variant| {
                variant.index(134).fields(
                    Fields::named()
                        .field(|field| {
                            field
                                .name("encrypted")
                                .ty::<BoundedVec<u8, ConstU32<1024>>>()
                        })
                        .field(|field| field.name("reveal_round").ty::<u64>()),
                )
            })
            .variant("ResetBondsFlag", |variant| variant.index(135))
            .variant("BigRaw", |variant| {
                variant.index(136).fields(
                    Fields::unnamed().field(|field| field.ty::<BoundedVec<u8, ConstU32<512>>>()),
                )
            });
        Type::builder()
            .path(Path::new("Data", "pallet_commitments::types"))
            .variant(variants)
    }
}

#[cfg(test)]
mod tests {
    use codec::{Decode as _, Encode as _};

    use super::Data;

    #[test]
    fn every_kind_survives_the_wire_and_others_are_refused() {
        let raw = |length: usize| Data::Raw(vec![7; length].try_into().unwrap());
        let kinds = [
            (Data::None, 0),
            (raw(0), 1),
            (raw(128), 129),
            (Data::BlakeTwo256([1; 32]), 130),
            (Data::Sha256([2; 32]), 131),
            (Data::Keccak256([3; 32]), 132),
            (Data::ShaThree256([4; 32]), 133),
            (
                Data::TimelockEncrypted {
                    encrypted: vec![5; 9].try_into().unwrap(),
                    reveal_round: 6,
                },
                134,
            ),
            (Data::ResetBondsFlag, 135),
            (Data::BigRaw(vec![8; 300].try_into().unwrap()), 136),
        ];
        for (data, kind) in kinds {
            let bytes = data.encode();
            assert_eq!(bytes[0], kind);
            assert_eq!(Data::decode(&mut bytes.as_slice()), Ok(data));
        }
        assert!(Data::decode(&mut &[137][..]).is_err());
        assert!(Data::decode(&mut &[129, 1][..]).is_err());
    }
}
