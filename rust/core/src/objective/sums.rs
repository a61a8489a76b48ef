//! Sums over rows in eight lanes, so that their order never changes.

use super::order::Order;

#[derive(Default)]
pub(super) struct Sums {
    pub(super) cost: [f64; 8],
    pub(super) gradient: Vec<[f64; 8]>,
    pub(super) curvature: Vec<[f64; 8]>,
}

impl Sums {
    pub(super) fn reset(&mut self, p: usize, order: Order) {
        let (g, h) = if order == Order::Cost {
            (0, 0)
        } else {
            (p, p * (p + 1) / 2)
        };
        self.cost = [0.0; 8];
        self.gradient.clear();
        self.gradient.resize(g, [0.0; 8]);
        self.curvature.clear();
        self.curvature.resize(h, [0.0; 8]);
    }

    pub(super) fn add(&mut self, other: &Self) {
        let pairs = std::iter::once((&mut self.cost, &other.cost))
            .chain(self.gradient.iter_mut().zip(&other.gradient))
            .chain(self.curvature.iter_mut().zip(&other.curvature));
        for (mine, theirs) in pairs {
            for (a, b) in mine.iter_mut().zip(theirs) {
                *a += b;
            }
        }
    }
}
