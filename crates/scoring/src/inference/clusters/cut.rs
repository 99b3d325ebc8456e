use super::Dendrogram;

impl Dendrogram {
    /// The cluster of each point when only merges below `height` count.
    ///
    /// Clusters are numbered as scikit-learn numbers them when it cuts a tree: the largest node is
    /// split into its two, again and again, on a binary heap, and the final places on the heap are the
    /// numbers. The numbers mean nothing, but the original lets the lowest win a tie.
    pub fn cut(&self, height: f64) -> Vec<usize> {
        let above = self.merges.iter().filter(|merge| merge.height >= height);
        let clusters = above.count() + 1;
        let root = (self.points + self.merges.len()).saturating_sub(1);
        let mut heap = vec![root];
        for _ in 1..clusters {
            let Some(merge) = heap.first().and_then(|node| self.merge(*node)) else {
                break;
            };
            heap.push(merge.first);
            let last = heap.len() - 1;
            rise(&mut heap, 0, last);
            replace_top(&mut heap, merge.second);
        }
        let mut labels = vec![0; self.points];
        for (label, node) in heap.iter().enumerate() {
            self.mark(*node, label, &mut labels);
        }
        labels
    }

    fn merge(&self, node: usize) -> Option<&super::Merge> {
        self.merges.get(node.checked_sub(self.points)?)
    }

    fn mark(&self, node: usize, label: usize, labels: &mut [usize]) {
        let mut open = vec![node];
        while let Some(node) = open.pop() {
            if let Some(merge) = self.merge(node) {
                open.extend([merge.first, merge.second]);
            } else if let Some(slot) = labels.get_mut(node) {
                *slot = label;
            }
        }
    }
}

fn at(heap: &[usize], place: usize) -> usize {
    heap.get(place).copied().unwrap_or(0)
}

fn put(heap: &mut [usize], place: usize, node: usize) {
    if let Some(slot) = heap.get_mut(place) {
        *slot = node;
    }
}

/// Moves a node up to `top` until its parent is larger. Places matter here, so that this is the heap
/// of Python's `heapq` (largest first) and not the standard library's.
fn rise(heap: &mut [usize], top: usize, mut place: usize) {
    let node = at(heap, place);
    while place > top {
        let parent = (place - 1) / 2;
        if node <= at(heap, parent) {
            break;
        }
        let moved = at(heap, parent);
        put(heap, place, moved);
        place = parent;
    }
    put(heap, place, node);
}

/// Pushes a node and takes the largest off, which is dropped.
fn replace_top(heap: &mut [usize], node: usize) {
    if at(heap, 0) <= node {
        return;
    }
    // Down along the larger children to a leaf, then up again.
    let mut place = 0;
    let mut child = 1;
    while child < heap.len() {
        if child + 1 < heap.len() && at(heap, child) <= at(heap, child + 1) {
            child += 1;
        }
        let moved = at(heap, child);
        put(heap, place, moved);
        place = child;
        child = 2 * place + 1;
    }
    put(heap, place, node);
    rise(heap, 0, place);
}

#[cfg(test)]
mod tests {
    use super::super::average_linkage;

    fn labels(places: &[f64], height: f64) -> Vec<usize> {
        let tree = average_linkage(places.len(), |i, j| (places[i] - places[j]).abs());
        tree.unwrap().cut(height)
    }

    #[test]
    fn cuts_below_the_height() {
        let places = [0.0, 1.0, 5.0, 7.0];
        assert_eq!(labels(&places, 6.0), [0; 4]);
        // Merged only when lower: the merge at 5.5 does not count.
        assert_eq!(labels(&places, 5.5), [1, 1, 0, 0]);
        let mut singles = labels(&places, 0.0);
        singles.sort_unstable();
        assert_eq!(singles, [0, 1, 2, 3]);
        assert_eq!(labels(&[], 1.0), []);
        assert_eq!(labels(&[4.0], 1.0), [0]);
    }
}
