/// How an epoch lays its matrices out in memory. The results are the same to the bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Layout {
    /// Dense where at least half of the validators' cells carry a weight or a bond.
    #[default]
    Automatic,
    /// Lists of cells: time and memory by the number of cells.
    Sparse,
    /// A column of all validators for each neuron: 16 bytes of memory for each pair of a
    /// validator and a neuron, whether it carries a weight or not.
    Dense,
}
