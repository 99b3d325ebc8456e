use adit_primitives::Uid;

use crate::{EpochInput, EpochTrace, fixed::Fixed, number::Number, standing::Standing};

use super::{Dense, bond_column::Penalty};

type Cells = Vec<Vec<(Uid, i64)>>;

impl Dense<'_, Fixed> {
    /// The numbers in between, as lists of cells in the order in which the chain holds them.
    pub(crate) fn trace(&self, input: &EpochInput, standing: &Standing<Fixed>) -> EpochTrace {
        let columns = input.neurons.len();
        let consensus = &self.decided.consensus;
        let clipped = |weight: Fixed, limit: Fixed| {
            (weight <= limit || limit.is_positive()).then(|| weight.least(limit))
        };
        let weights = self.submitted_rows(input, |_, weight| Some(weight));
        let clipped_weights =
            self.submitted_rows(input, |column, weight| clipped(weight, consensus[column]));
        let bond_weights = match &self.penalty {
            Penalty::None => weights.clone(),
            Penalty::All => clipped_weights.clone(),
            part => {
                let mut rows = self.submitted_rows(input, |column, weight| {
                    let weight = part.weight(weight, consensus[column]);
                    weight.is_positive().then_some(weight)
                });
                for row in &mut rows {
                    row.sort_unstable_by_key(|cell| cell.0.0);
                }
                rows
            }
        };
        EpochTrace {
            weights,
            clipped_weights,
            bond_weights,
            bonds: self.bond_rows(columns, |_| true, Fixed::bits),
            ..self.decided.trace(standing)
        }
    }

    /// What `value(column, weight)` makes of each weight that counts.
    fn submitted_rows(
        &self,
        input: &EpochInput,
        value: impl Fn(usize, Fixed) -> Option<Fixed>,
    ) -> Cells {
        let registered: Vec<u64> = input.neurons.iter().map(|n| n.registered_at.0).collect();
        let mut rows: Cells = vec![Vec::new(); registered.len()];
        for (index, row) in self.rows.iter().enumerate() {
            let counted = row.submitted.iter().map(|cell| cell.0);
            for target in counted.filter(|target| row.counts(*target, &registered)) {
                let column = usize::from(target.0);
                let weight = self.weights[column * self.rows.len() + index];
                if let Some(value) = value(column, weight) {
                    rows[row.uid].push((target, value.bits()));
                }
            }
        }
        rows
    }
}
