//! Code lengths by length-limited package-merge, and the canonical codewords.

/// The most symbols an alphabet has.
const MAX_SYMBOLS: usize = 286;
/// A level of package-merge never has more items than this.
const MAX_ITEMS: usize = 2 * MAX_SYMBOLS;
const MAX_LEVELS: usize = 15;

/// Sets the code length of every symbol, zero for unused ones.
///
/// No length exceeds `limit` (at most 15). The result is that of package-merge in which a package goes before a leaf
/// of the same weight and symbols are sorted by frequency, then by number; other ties give other bytes.
pub(super) fn code_lengths(frequencies: &[u32], limit: usize, lengths: &mut [u8]) {
    lengths.fill(0);
    let mut leaves = [0_u32; MAX_SYMBOLS];
    let mut used = 0;
    for (symbol, &frequency) in frequencies.iter().enumerate() {
        if frequency > 0 {
            leaves[used] = frequency << 9 | symbol as u32;
            used += 1;
        }
    }
    let leaves = &mut leaves[..used];
    leaves.sort_unstable();
    if used <= 2 {
        for leaf in leaves {
            lengths[(*leaf & 511) as usize] = 1;
        }
        return;
    }

    let levels = limit.min(used - 1);
    let mut is_leaf = [[false; MAX_ITEMS]; MAX_LEVELS];
    let mut below = [0_u32; MAX_ITEMS];
    let mut level = [0_u32; MAX_ITEMS];
    let mut weights = [u32::MAX; MAX_SYMBOLS + 1];
    for (weight, leaf) in weights.iter_mut().zip(leaves.iter()) {
        *weight = leaf >> 9;
    }
    let weights = &weights[..=used];
    below[..used].copy_from_slice(&weights[..used]);
    is_leaf[0][..used].fill(true);
    let mut below_count = used;
    for flags in &mut is_leaf[1..levels] {
        below_count = merge(weights, &below[..below_count], &mut level, flags);
        std::mem::swap(&mut below, &mut level);
    }

    let mut taken = 2 * used - 2;
    for flags in is_leaf[..levels].iter().rev() {
        let chosen = flags[..taken].iter().filter(|&&leaf| leaf).count();
        for leaf in &leaves[..chosen] {
            lengths[(*leaf & 511) as usize] += 1;
        }
        taken = 2 * (taken - chosen);
    }
}

/// Merges the leaves with the pairs of the level below; returns the number of items.
fn merge(weights: &[u32], below: &[u32], level: &mut [u32; MAX_ITEMS], is_leaf: &mut [bool; MAX_ITEMS]) -> usize {
    let mut packages = [u32::MAX; MAX_SYMBOLS + 1];
    for (package, pair) in packages.iter_mut().zip(below.as_chunks::<2>().0) {
        *package = pair[0] + pair[1];
    }
    let count = weights.len() - 1 + below.len() / 2;
    let (mut leaf, mut package) = (0, 0);
    for (weight, flag) in level[..count].iter_mut().zip(is_leaf) {
        let (next_leaf, next_package) = (weights[leaf], packages[package]);
        // Which one comes is as good as random: no branch.
        let takes_leaf = next_leaf < next_package;
        *weight = next_leaf.min(next_package);
        *flag = takes_leaf;
        leaf += usize::from(takes_leaf);
        package += usize::from(!takes_leaf);
    }
    count
}

/// The canonical codewords for `lengths`, their bits already in the order in which they are written.
pub(super) fn codewords(lengths: &[u8], words: &mut [u16]) {
    let mut counts = [0_u16; MAX_LEVELS + 1];
    for &length in lengths {
        counts[usize::from(length)] += 1;
    }
    counts[0] = 0;
    let mut next = [0_u16; MAX_LEVELS + 2];
    for length in 1..=MAX_LEVELS {
        // The last sum may pass the end of the longest words; nobody reads it.
        next[length + 1] = next[length].wrapping_add(counts[length]) << 1;
    }
    for (word, &length) in words.iter_mut().zip(lengths) {
        if length > 0 {
            let slot = &mut next[usize::from(length)];
            *word = slot.reverse_bits() >> (16 - length);
            *slot = slot.wrapping_add(1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lengths(frequencies: &[u32], limit: usize) -> Vec<u8> {
        let mut lengths = vec![0; frequencies.len()];
        code_lengths(frequencies, limit, &mut lengths);
        lengths
    }

    #[test]
    fn up_to_two_symbols_get_one_bit_each() {
        assert_eq!(lengths(&[0, 0, 0], 15), [0, 0, 0]);
        assert_eq!(lengths(&[0, 7, 0], 15), [0, 1, 0]);
        assert_eq!(lengths(&[9, 0, 1], 15), [1, 0, 1]);
    }

    #[test]
    fn of_equal_frequencies_the_larger_symbol_never_gets_the_longer_code() {
        assert_eq!(lengths(&[1, 1, 1], 15), [2, 2, 1]);
    }

    #[test]
    fn a_package_goes_before_a_leaf_of_the_same_weight() {
        // Four words of two bits cost as much.
        assert_eq!(lengths(&[1, 1, 2, 2], 15), [3, 3, 2, 1]);
    }

    #[test]
    fn the_limit_holds_and_the_code_stays_complete() {
        let mut frequencies = vec![1, 1];
        for i in 2..20 {
            frequencies.push(frequencies[i - 1] + frequencies[i - 2]);
        }
        for limit in [7, 15] {
            let lengths = lengths(&frequencies, limit);
            assert_eq!(usize::from(*lengths.iter().max().unwrap()), limit);
            let kraft: u32 = lengths.iter().map(|&length| 1 << (limit - usize::from(length))).sum();
            assert_eq!(kraft, 1 << limit);
        }
    }

    #[test]
    fn codewords_are_canonical_and_reversed() {
        let mut words = [0; 4];
        codewords(&[2, 1, 3, 3], &mut words);
        assert_eq!(words, [0b01, 0b0, 0b011, 0b111]);
    }
}
