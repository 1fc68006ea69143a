//! Splits that keep groups together (a patient's slices, copies of a picture) and classes in proportion.

use std::collections::{BTreeMap, HashMap};

use crate::Part;
use crate::shuffle::{generator, shuffle};

/// The groups of samples: those of one group never stand in two parts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    /// The samples of each group.
    members: Vec<Vec<u32>>,
}

/// How much of a class a group holds, class by class.
type Counts = BTreeMap<u32, usize>;

impl Groups {
    /// Samples with equal keys are a group.
    pub fn by<K: std::hash::Hash + Eq>(keys: impl IntoIterator<Item = K>) -> Self {
        let mut places: HashMap<K, usize> = HashMap::new();
        let mut members: Vec<Vec<u32>> = Vec::new();
        for (i, key) in keys.into_iter().enumerate() {
            let place = *places.entry(key).or_insert_with(|| {
                members.push(Vec::new());
                members.len() - 1
            });
            members[place].push(i as u32);
        }
        Self { members }
    }

    /// The same groups, but those that hold the samples of a pair become one.
    pub fn joined(self, pairs: &[[usize; 2]]) -> Self {
        let n: usize = self.members.iter().map(Vec::len).sum();
        let mut parent: Vec<u32> = vec![0; n];
        for group in &self.members {
            group.iter().for_each(|&i| parent[i as usize] = group[0]);
        }
        fn root(parent: &mut [u32], mut i: u32) -> u32 {
            while parent[i as usize] != i {
                parent[i as usize] = parent[parent[i as usize] as usize];
                i = parent[i as usize];
            }
            i
        }
        for &[a, b] in pairs {
            let (a, b) = (root(&mut parent, a as u32), root(&mut parent, b as u32));
            parent[a.max(b) as usize] = a.min(b);
        }
        let keys: Vec<u32> = (0..n as u32).map(|i| root(&mut parent, i)).collect();
        Self::by(keys)
    }

    /// The groups of the samples at `indices` alone, which are numbered anew: 0 is the first of `indices`.
    ///
    /// ```
    /// let groups = foveal_data::groups::Groups::by(["a", "b", "a", "c"]);
    /// assert_eq!(groups.within(&[0, 2, 3]).len(), 2);
    /// ```
    pub fn within(&self, indices: &[u32]) -> Self {
        let mut group = HashMap::new();
        for (place, members) in self.members.iter().enumerate() {
            group.extend(members.iter().map(|&i| (i, place)));
        }
        Self::by(indices.iter().map(|i| group.get(i).copied()))
    }

    /// The group of each sample.
    pub fn places(&self) -> Vec<u32> {
        let mut places = vec![0; self.members.iter().map(Vec::len).sum()];
        for (place, members) in self.members.iter().enumerate() {
            members.iter().for_each(|&i| places[i as usize] = place as u32);
        }
        places
    }

    /// How many groups have one of the samples at `indices`.
    pub fn count(&self, indices: &[u32]) -> usize {
        self.within(indices).len()
    }

    /// Number of groups.
    pub fn len(&self) -> usize {
        self.members.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// How many groups have a sample in each of training, validation and test.
    pub fn in_parts(&self, parts: &[Part]) -> [usize; 3] {
        let of = |part| self.members.iter().filter(|m| m.iter().any(|&i| parts[i as usize] == part)).count();
        [Part::Train, Part::Validation, Part::Test].map(of)
    }

    /// The part of each sample: about the shares `held` of the samples are for validation and for the test, drawn by
    /// `seed`, group by group. With `labels` each part gets its share of each class, and at least one group of each, as
    /// far as there are groups enough: the test first, then validation, and training keeps one of each.
    ///
    /// ```
    /// use foveal_data::{Part, groups::Groups};
    ///
    /// // Twelve patients of two slices, every other one ill.
    /// let groups = Groups::by((0..24).map(|i| i / 2));
    /// let labels: Vec<u32> = (0..24).map(|i| i / 2 % 2).collect();
    /// let parts = groups.parts(Some(&labels), [0.1, 0.1], 0);
    /// assert_eq!(groups.in_parts(&parts), [8, 2, 2]);
    /// for part in [Part::Train, Part::Validation, Part::Test] {
    ///     let classes = (0..24).filter(|&i| parts[i] == part).map(|i| labels[i]);
    ///     assert_eq!(classes.clone().min(), Some(0));
    ///     assert_eq!(classes.max(), Some(1));
    /// }
    /// ```
    pub fn parts(&self, labels: Option<&[u32]>, held: [f64; 2], seed: u64) -> Vec<Part> {
        let n: usize = self.members.iter().map(Vec::len).sum();
        let mut free = Free::new(self, labels, seed);
        let mut parts = vec![Part::Train; n];
        for (part, share) in [(Part::Test, held[1]), (Part::Validation, held[0])] {
            // NaN is no share either.
            if share.is_nan() || share <= 0.0 {
                continue;
            }
            for group in free.take(share.min(1.0)) {
                self.members[group].iter().for_each(|&i| parts[i as usize] = part);
            }
        }
        parts
    }

    /// The fold of each sample, 0 to `k` - 1: groups are dealt out class by class to the fold that has the least of it,
    /// in an order drawn by `seed`.
    ///
    /// ```
    /// let groups = foveal_data::groups::Groups::by(["a", "a", "b", "b", "c", "d"]);
    /// let folds = groups.folds(None, 2, 0);
    /// assert!(folds[0] == folds[1] && folds[2] == folds[3]);
    /// assert_eq!(folds.iter().filter(|&&fold| fold == 0).count(), 3);
    /// ```
    pub fn folds(&self, labels: Option<&[u32]>, k: usize, seed: u64) -> Vec<usize> {
        let free = Free::new(self, labels, seed);
        let n: usize = self.members.iter().map(Vec::len).sum();
        let mut folds = vec![0; n];
        let mut have: Vec<Counts> = vec![Counts::new(); k.max(1)];
        let mut all = vec![0usize; k.max(1)];
        for group in free.by_size() {
            let main = free.main(group);
            let of = |fold: usize| have[fold].get(&main).copied().unwrap_or(0);
            let fold = (0..k.max(1)).min_by_key(|&fold| (of(fold), all[fold])).unwrap_or(0);
            for (&class, &count) in &free.counts[group] {
                *have[fold].entry(class).or_default() += count;
                all[fold] += count;
            }
            self.members[group].iter().for_each(|&i| folds[i as usize] = fold);
        }
        folds
    }
}

/// The groups that are in no part yet.
struct Free {
    counts: Vec<Counts>,
    /// The groups in the order of the draw.
    order: Vec<usize>,
    taken: Vec<bool>,
    /// The samples of each class in all groups.
    all: Counts,
    /// The groups that hold a class, in the order of the draw.
    of_class: BTreeMap<u32, Vec<usize>>,
    /// How many of them are not taken.
    left: Counts,
}

impl Free {
    fn new(groups: &Groups, labels: Option<&[u32]>, seed: u64) -> Self {
        let label = |i: u32| labels.and_then(|labels| labels.get(i as usize)).copied().unwrap_or(0);
        let mut all = Counts::new();
        let mut counts = Vec::with_capacity(groups.members.len());
        for members in &groups.members {
            let mut own = Counts::new();
            for &i in members {
                *own.entry(label(i)).or_default() += 1;
                *all.entry(label(i)).or_default() += 1;
            }
            counts.push(own);
        }
        let mut order: Vec<u32> = (0..counts.len() as u32).collect();
        shuffle(&mut order, &mut generator(seed, u64::MAX - 1));
        let order: Vec<usize> = order.into_iter().map(|i| i as usize).collect();
        let mut of_class: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for &group in &order {
            counts[group].keys().for_each(|class| of_class.entry(*class).or_default().push(group));
        }
        let left = of_class.iter().map(|(class, groups)| (*class, groups.len())).collect();
        Self { taken: vec![false; counts.len()], counts, order, all, of_class, left }
    }

    /// The class that a group holds the most of.
    fn main(&self, group: usize) -> u32 {
        self.counts[group].iter().max_by_key(|&(_, &n)| n).map_or(0, |(&class, _)| class)
    }

    fn size(&self, group: usize) -> usize {
        self.counts[group].values().sum()
    }

    /// All groups, the largest first, else as drawn.
    fn by_size(&self) -> Vec<usize> {
        let mut order = self.order.clone();
        order.sort_by_key(|&group| std::cmp::Reverse(self.size(group)));
        order
    }

    /// Takes groups with about `share` of the samples.
    fn take(&mut self, share: f64) -> Vec<usize> {
        let mut chosen = Vec::new();
        let mut have = Counts::new();
        // The classes with the fewest groups first: they have the least choice.
        let mut classes: Vec<u32> = self.all.keys().copied().collect();
        classes.sort_by_key(|class| self.left[class]);
        for class in classes {
            let wanted = share * self.all[&class] as f64;
            loop {
                let got = have.get(&class).copied().unwrap_or(0);
                let missing = wanted - got as f64;
                // Training keeps a group of each class.
                if self.left[&class] < 2 || got > 0 && missing <= 0.0 {
                    break;
                }
                let Some(group) = self.next(class, missing, got == 0) else { break };
                self.taken[group] = true;
                for (&class, &count) in &self.counts[group] {
                    *have.entry(class).or_default() += count;
                    *self.left.entry(class).or_default() -= 1;
                }
                chosen.push(group);
            }
        }
        chosen
    }

    /// The next group that holds `class` and does not leave training without one of its classes. Unless `must`, it
    /// is left out if without it the share is met better.
    fn next(&self, class: u32, missing: f64, must: bool) -> Option<usize> {
        let held = |g: usize| self.counts[g].get(&class).copied().unwrap_or(0);
        let last = |g: usize| self.counts[g].keys().any(|class| self.left[class] < 2);
        let free = || self.of_class[&class].iter().copied().filter(|&g| !self.taken[g] && !last(g));
        let smallest = || free().min_by_key(|&g| held(g)).filter(|_| must);
        free().find(|&g| held(g) as f64 - missing < missing).or_else(smallest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(parts: &[Part], labels: &[u32], part: Part) -> Vec<u32> {
        let mut found: Vec<u32> = (0..parts.len()).filter(|&i| parts[i] == part).map(|i| labels[i]).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    #[test]
    fn groups_stay_whole_and_classes_are_in_every_part() {
        // Forty patients of one to seven slices, three classes, the last of them rare.
        let patients: Vec<u32> = (0..40u32).flat_map(|p| vec![p; 1 + (p * 5 % 7) as usize]).collect();
        let labels: Vec<u32> = patients.iter().map(|p| if p % 10 == 0 { 2 } else { p % 2 }).collect();
        let groups = Groups::by(&patients);
        let mut seen = Vec::new();
        for seed in 0..20 {
            let parts = groups.parts(Some(&labels), [0.2, 0.2], seed);
            assert_eq!(groups.in_parts(&parts).iter().sum::<usize>(), 40, "a group is divided");
            for part in [Part::Train, Part::Validation, Part::Test] {
                assert_eq!(classes(&parts, &labels, part), [0, 1, 2], "seed {seed}, {part:?}");
            }
            let share = parts.iter().filter(|p| **p != Part::Train).count() as f64 / parts.len() as f64;
            assert!((0.28..0.52).contains(&share), "{share}");
            seen.push(parts);
        }
        seen.dedup();
        assert!(seen.len() > 15, "the seed changes nothing");
    }

    #[test]
    fn few_groups_leave_training_its_classes() {
        let labels = [0, 0, 1, 1];
        let parts = Groups::by(["a", "a", "b", "b"]).parts(Some(&labels), [0.1, 0.1], 0);
        assert_eq!(parts, [Part::Train; 4]);
        let parts = Groups::by(0..0).parts(None, [0.1, 0.1], 0);
        assert!(parts.is_empty());
        let parts = Groups::by(0..10).parts(None, [0.0, f64::NAN], 0);
        assert_eq!(parts, [Part::Train; 10]);
    }

    #[test]
    fn folds_are_stratified_and_pairs_join_groups() {
        let groups = Groups::by((0..24).map(|i| i / 2));
        let labels: Vec<u32> = (0..24).map(|i| i / 2 % 2).collect();
        let folds = groups.folds(Some(&labels), 4, 1);
        for fold in 0..4 {
            let own: Vec<u32> = (0..24).filter(|&i| folds[i] == fold).map(|i| labels[i]).collect();
            assert_eq!(
                (own.len(), own.iter().sum::<u32>()),
                (6, if own.iter().sum::<u32>() == 2 { 2 } else { 4 })
            );
        }
        let joined = Groups::by(0..6).joined(&[[0, 3], [3, 5], [1, 2]]);
        assert_eq!(joined.members, [vec![0, 3, 5], vec![1, 2], vec![4]]);
    }
}
