//! Lengths of codes, by a heap of frequencies, and the codes.
//!
//! Many trees are the best for the same frequencies. Which one comes out depends on the heap's order, so the heap is part
//! of what is imitated: ties go to the flatter node, then to the one that the heap has on top.

/// Nodes of the largest tree, and one place that is not used.
const NODES: usize = 2 * 286 + 1;
/// The longest code.
pub(super) const LONGEST: usize = 15;

/// Code lengths of an alphabet, and the highest symbol that has one.
#[derive(Clone, Debug)]
pub(super) struct Tree {
    /// Bits of each symbol's code; 0 for none.
    pub lengths: Vec<u8>,
    /// The highest symbol with a code.
    pub highest: usize,
}

/// A heap of nodes, the smallest at the first place.
struct Heap {
    /// From 1 on.
    nodes: Vec<usize>,
    length: usize,
    weights: Vec<u32>,
    depths: Vec<u8>,
}

impl Heap {
    fn is_smaller(&self, one: usize, other: usize) -> bool {
        let (first, second) = (self.weights[one], self.weights[other]);
        first < second || (first == second && self.depths[one] <= self.depths[other])
    }

    /// Moves the node at a place down to where it belongs.
    fn sift(&mut self, mut place: usize) {
        let node = self.nodes[place];
        let mut below = place * 2;
        while below <= self.length {
            if below < self.length && self.is_smaller(self.nodes[below + 1], self.nodes[below]) {
                below += 1;
            }
            if self.is_smaller(node, self.nodes[below]) {
                break;
            }
            self.nodes[place] = self.nodes[below];
            place = below;
            below *= 2;
        }
        self.nodes[place] = node;
    }

    /// Takes the smallest node away.
    fn take(&mut self) -> usize {
        let smallest = self.nodes[1];
        self.nodes[1] = self.nodes[self.length];
        self.length -= 1;
        self.sift(1);
        smallest
    }
}

impl Tree {
    /// The tree for these frequencies, with no code longer than `longest`.
    pub fn of(frequencies: &[u32], longest: usize) -> Self {
        let symbols = frequencies.len();
        let mut weights = frequencies.to_vec();
        weights.resize(NODES, 0);
        let mut heap = Heap { nodes: vec![0; NODES + 1], length: 0, weights, depths: vec![0; NODES] };
        let mut highest = None;
        for symbol in (0..symbols).filter(|symbol| frequencies[*symbol] > 0) {
            heap.length += 1;
            heap.nodes[heap.length] = symbol;
            highest = Some(symbol);
        }
        // There are always two codes, of symbols that never come where there are too few that do.
        while heap.length < 2 {
            let symbol = match highest {
                None => 0,
                Some(highest) if highest < 2 => highest + 1,
                Some(_) => 0,
            };
            highest = highest.max(Some(symbol));
            heap.length += 1;
            heap.nodes[heap.length] = symbol;
            heap.weights[symbol] = 1;
        }
        let highest = highest.unwrap_or_default();
        for place in (1..=heap.length / 2).rev() {
            heap.sift(place);
        }
        let mut parents = vec![0; NODES];
        // Nodes by weight, the lightest first.
        let mut sorted = Vec::with_capacity(NODES);
        for node in symbols.. {
            if heap.length < 2 {
                break;
            }
            let (first, second) = (heap.take(), heap.nodes[1]);
            sorted.extend([first, second]);
            (parents[first], parents[second]) = (node, node);
            heap.weights[node] = heap.weights[first] + heap.weights[second];
            heap.depths[node] = heap.depths[first].max(heap.depths[second]) + 1;
            heap.nodes[1] = node;
            heap.sift(1);
        }
        sorted.push(heap.nodes[1]);
        let lengths = limited(&sorted, &parents, (symbols, highest), longest);
        Self { lengths, highest }
    }

    /// The code of each symbol, its bits in the order in which they are written.
    pub fn codes(&self) -> Vec<u16> {
        let mut count = [0_u16; LONGEST + 1];
        for length in self.lengths.iter().filter(|length| **length > 0) {
            count[usize::from(*length)] += 1;
        }
        let (mut next, mut code) = ([0_u16; LONGEST + 1], 0_u16);
        for length in 1..=LONGEST {
            code = (code + count[length - 1]) << 1;
            next[length] = code;
        }
        let mut take = |length: &u8| {
            if *length == 0 {
                return 0;
            }
            let code = next[usize::from(*length)];
            next[usize::from(*length)] += 1;
            code.reverse_bits() >> (16 - u16::from(*length))
        };
        self.lengths.iter().map(&mut take).collect()
    }
}

/// The lengths of the leaves; what is too long is made shorter at the cost of others.
///
/// `sorted` has the nodes by weight, the root at its end.
fn limited(sorted: &[usize], parents: &[usize], (symbols, highest): (usize, usize), longest: usize) -> Vec<u8> {
    let mut bits = vec![0_usize; NODES];
    let mut count = [0_usize; LONGEST + 1];
    let mut too_long = 0;
    for node in sorted.iter().rev().skip(1) {
        let length = bits[parents[*node]] + 1;
        too_long += usize::from(length > longest);
        bits[*node] = length.min(longest);
        if *node <= highest {
            count[length.min(longest)] += 1;
        }
    }
    if too_long > 0 {
        for _ in 0..too_long.div_ceil(2) {
            let length = (1..longest).rev().find(|length| count[*length] > 0).unwrap_or(1);
            count[length] -= 1;
            count[length + 1] += 2;
            count[longest] -= 1;
        }
        let mut leaves = sorted.iter().filter(|node| **node <= highest);
        for length in (1..=longest).rev() {
            for leaf in leaves.by_ref().take(count[length]) {
                bits[*leaf] = length;
            }
        }
    }
    // A code has at most fifteen bits.
    (0..symbols).map(|symbol| if symbol <= highest { bits[symbol] as u8 } else { 0 }).collect()
}
