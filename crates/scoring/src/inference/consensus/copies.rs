use super::super::SimilarityMatrix;

/// Groups of answers that are copies of each other.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct CopyGroups {
    /// For each answer, the first of its group.
    pub(super) first: Vec<usize>,
}

impl CopyGroups {
    /// An answer joins the first earlier group whose first member it is at least so alike; each is
    /// alone without a limit.
    pub(super) fn of(similarities: &SimilarityMatrix, limit: Option<f64>) -> Self {
        let mut firsts: Vec<usize> = Vec::new();
        let mut first = Vec::with_capacity(similarities.len());
        for (answer, row) in similarities.rows().enumerate() {
            let alike = |other: &&usize| {
                let similarity = row.get(**other).copied();
                limit.is_some_and(|limit| similarity.is_some_and(|s| s >= limit))
            };
            let group = match firsts.iter().find(alike) {
                Some(group) => *group,
                None => {
                    firsts.push(answer);
                    answer
                }
            };
            first.push(group);
        }
        Self { first }
    }

    /// Whether two answers are copies of each other.
    pub(super) fn same(&self, left: usize, right: usize) -> bool {
        self.first.get(left) == self.first.get(right)
    }

    /// Divides the largest vote of each group among its members, by their votes.
    pub(super) fn share(&self, votes: &mut [f64]) {
        let mut largest = vec![0.0_f64; votes.len()];
        let mut sums = vec![0.0; votes.len()];
        for (vote, group) in votes.iter().zip(&self.first) {
            if let (Some(most), Some(sum)) = (largest.get_mut(*group), sums.get_mut(*group)) {
                *most = most.max(*vote);
                *sum += vote;
            }
        }
        for (vote, group) in votes.iter_mut().zip(&self.first) {
            if let (Some(most), Some(sum)) = (largest.get(*group), sums.get(*group))
                && *sum > 0.0
            {
                *vote *= most / sum;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_share_the_largest_vote() {
        let rows = [[1.0_f32, 0.0], [0.0, 1.0], [1.0, 0.001], [0.0, 2.0]];
        let matrix = SimilarityMatrix::cosines(&rows).unwrap();
        let groups = CopyGroups::of(&matrix, Some(0.995));
        assert_eq!(groups.first, [0, 1, 0, 1]);
        let mut votes = [1.0, 0.5, 1.0, 1.0];
        groups.share(&mut votes);
        assert_eq!(votes, [0.5, 0.5 / 1.5, 0.5, 1.0 / 1.5]);
        assert_eq!(CopyGroups::of(&matrix, None).first, [0, 1, 2, 3]);
        let mut none = [0.0; 4];
        groups.share(&mut none);
        assert_eq!(none, [0.0; 4]);
    }
}
