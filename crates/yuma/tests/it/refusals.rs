use adit_primitives::{Rao, Uid};
use adit_yuma::{EpochInput, EpochNeuron, EpochParameters, Error, epoch};

fn refused(neurons: Vec<EpochNeuron>, owner: Option<Uid>) -> Error {
    let input = EpochInput {
        neurons,
        ..EpochInput::default()
    };
    let parameters = EpochParameters {
        owner,
        ..EpochParameters::default()
    };
    epoch(&input, &parameters).unwrap_err()
}

#[test]
fn an_input_that_contradicts_itself_is_refused() {
    let plain = EpochNeuron::default();
    let with_weights = |weights| EpochNeuron {
        weights,
        ..EpochNeuron::default()
    };
    let with_bonds = |bonds| EpochNeuron {
        bonds,
        ..EpochNeuron::default()
    };
    assert_eq!(
        refused(vec![plain.clone(), with_weights(vec![(Uid(2), 1)])], None),
        Error::UnknownUid {
            row: "weights",
            uid: Uid(1),
            target: Uid(2),
            neurons: 2
        }
    );
    assert_eq!(
        refused(vec![with_bonds(vec![(Uid(0), 1), (Uid(0), 2)])], None),
        Error::RepeatedUid {
            row: "bonds",
            uid: Uid(0),
            target: Uid(0)
        }
    );
    assert_eq!(
        refused(vec![plain.clone()], Some(Uid(1))),
        Error::UnknownOwner {
            owner: Uid(1),
            neurons: 1
        }
    );
    let rich = EpochNeuron {
        stake: Rao(1 << 62),
        ..EpochNeuron::default()
    };
    assert_eq!(refused(vec![rich.clone(), rich], None), Error::TooMuchStake);
    assert_eq!(
        refused(vec![plain; 65_537], None),
        Error::TooManyNeurons { neurons: 65_537 }
    );
}

#[test]
fn a_subnet_without_neurons_has_an_empty_epoch() {
    let output = epoch(&EpochInput::default(), &EpochParameters::default()).unwrap();
    assert_eq!(output, adit_yuma::EpochOutput::default());
}
