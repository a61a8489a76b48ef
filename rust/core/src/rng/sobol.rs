//! The Sobol sequence in up to 16 dimensions: point `index` in Gray-code order, as a pure function.
//!
//! Direction numbers of Joe & Kuo, "Constructing Sobol sequences with better two-dimensional projections" (SIAM J.
//! Sci. Comput. 30, 2008), file `new-joe-kuo-6`; the first 2ᵏ points put one value in every dyadic interval of
//! length 2⁻ᵏ of every coordinate.

/// Most dimensions that the table covers.
pub const MAX_DIMENSION: usize = 16;

/// Bits of a coordinate; the sequence has 2³² points.
const BITS: usize = 32;

/// Degree, inner coefficients and initial direction numbers of the primitive polynomials of dimensions 2 to 16.
const POLYNOMIALS: [(usize, u32, [u32; 6]); MAX_DIMENSION - 1] = [
    (1, 0, [1, 0, 0, 0, 0, 0]),
    (2, 1, [1, 3, 0, 0, 0, 0]),
    (3, 1, [1, 3, 1, 0, 0, 0]),
    (3, 2, [1, 1, 1, 0, 0, 0]),
    (4, 1, [1, 1, 3, 3, 0, 0]),
    (4, 4, [1, 3, 5, 13, 0, 0]),
    (5, 2, [1, 1, 5, 5, 17, 0]),
    (5, 4, [1, 1, 5, 5, 5, 0]),
    (5, 7, [1, 1, 7, 11, 19, 0]),
    (5, 11, [1, 1, 5, 1, 1, 0]),
    (5, 13, [1, 1, 1, 3, 11, 0]),
    (5, 14, [1, 3, 5, 5, 31, 0]),
    (6, 1, [1, 3, 3, 9, 7, 49]),
    (6, 13, [1, 1, 1, 15, 21, 21]),
    (6, 16, [1, 3, 1, 13, 27, 49]),
];

/// A Sobol sequence of a fixed dimension.
#[derive(Clone, Debug)]
pub struct Sobol {
    directions: Vec<[u32; BITS]>,
}

impl Sobol {
    /// The sequence in `dimension` coordinates, at most `MAX_DIMENSION` (more are cut off).
    pub fn new(dimension: usize) -> Self {
        Sobol {
            directions: (0..dimension.min(MAX_DIMENSION)).map(directions).collect(),
        }
    }

    /// Number of coordinates.
    pub fn dimension(&self) -> usize {
        self.directions.len()
    }

    /// Writes point `index` into the first `dimension` entries of `out`. Values are centred in their 2⁻³² cells, so
    /// they lie strictly between 0 and 1.
    pub fn point(&self, index: u32, out: &mut [f64]) {
        let gray = index ^ (index >> 1);
        for (value, directions) in out.iter_mut().zip(&self.directions) {
            let mut bits = 0u32;
            let mut rest = gray;
            while rest != 0 {
                bits ^= directions[rest.trailing_zeros() as usize];
                rest &= rest - 1;
            }
            *value = (f64::from(bits) + 0.5) * (1.0 / (1u64 << BITS) as f64);
        }
    }
}

/// The direction numbers of one coordinate, by the recurrence of its primitive polynomial.
fn directions(coordinate: usize) -> [u32; BITS] {
    let mut numbers = [1u32; BITS];
    if coordinate > 0 {
        let (degree, inner, initial) = POLYNOMIALS[coordinate - 1];
        numbers[..degree].copy_from_slice(&initial[..degree]);
        for i in degree..BITS {
            let mut number = numbers[i - degree] ^ (numbers[i - degree] << degree);
            for k in 1..degree {
                if inner >> (degree - 1 - k) & 1 == 1 {
                    number ^= numbers[i - k] << k;
                }
            }
            numbers[i] = number;
        }
    }
    for (i, number) in numbers.iter_mut().enumerate() {
        *number <<= BITS - 1 - i;
    }
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_of_the_published_table() {
        // Points 5 and 200 of scipy.stats.qmc.Sobol(16, scramble=False), in units of 1/8 and 1/256.
        let five = [7, 7, 1, 3, 7, 5, 7, 3, 3, 1, 3, 7, 7, 1, 7, 3];
        let two_hundred = [
            53, 99, 105, 151, 209, 143, 7, 249, 85, 159, 255, 151, 79, 151, 25, 177,
        ];
        let sobol = Sobol::new(MAX_DIMENSION);
        let mut out = [0.0; MAX_DIMENSION];
        for (index, cells, expected) in [(5, 8.0, five), (200, 256.0, two_hundred)] {
            sobol.point(index, &mut out);
            assert_eq!(out.map(|x| (x * cells) as u32), expected);
        }
    }

    #[test]
    fn every_coordinate_fills_every_dyadic_cell_once() {
        let sobol = Sobol::new(MAX_DIMENSION);
        let n = 1024;
        let mut cells = vec![[false; MAX_DIMENSION]; n];
        let mut out = [0.0; MAX_DIMENSION];
        for index in 0..n as u32 {
            sobol.point(index, &mut out);
            for (d, x) in out.iter().enumerate() {
                let cell = &mut cells[(x * n as f64) as usize][d];
                assert!(!*cell, "coordinate {d}, point {index}");
                *cell = true;
            }
        }
    }

    #[test]
    fn the_product_integral_converges_faster_than_random_points() {
        // ∏ (x + ½) has integral 1; random points leave an error of about 0.011 at this number.
        let sobol = Sobol::new(5);
        let n = 4096;
        let mut out = [0.0; 5];
        let mut sum = 0.0;
        for index in 0..n {
            sobol.point(index, &mut out);
            sum += out.iter().map(|x| x + 0.5).product::<f64>();
        }
        assert!(
            (sum / f64::from(n) - 1.0).abs() < 1e-3,
            "{}",
            sum / f64::from(n)
        );
    }
}
