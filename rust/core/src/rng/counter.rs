//! Random numbers as a function of (seed, stream, replicate, index).
//!
//! Nothing has a state: any number is computed by itself, so results do not depend on threads, shards or order.
//! Philox4x32-10 after Salmon, Moraes, Dror & Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).

use super::normal::normal_quantile;

/// Multipliers and key increments of Philox4x32 (Salmon et al. 2011, table 2 and section 3.3).
const MULTIPLIERS: [u32; 2] = [0xd251_1f53, 0xcd9e_8d57];
const WEYL: [u32; 2] = [0x9e37_79b9, 0xbb67_ae85];
const ROUNDS: usize = 10;

/// Ten rounds of Philox4x32 on one counter.
#[inline(always)]
pub fn philox4x32(mut counter: [u32; 4], mut key: [u32; 2]) -> [u32; 4] {
    for round in 0..ROUNDS {
        if round > 0 {
            key = [key[0].wrapping_add(WEYL[0]), key[1].wrapping_add(WEYL[1])];
        }
        let left = u64::from(MULTIPLIERS[0]) * u64::from(counter[0]);
        let right = u64::from(MULTIPLIERS[1]) * u64::from(counter[2]);
        counter = [
            (right >> 32) as u32 ^ counter[1] ^ key[0],
            right as u32,
            (left >> 32) as u32 ^ counter[3] ^ key[1],
            left as u32,
        ];
    }
    counter
}

/// What random numbers are drawn for; each purpose is a stream of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Stream {
    /// Starting points.
    Starts = 1,
    /// Resampling weights.
    Resampling = 2,
    /// Simulated noise.
    Noise = 3,
    /// Draws of parameters.
    Draws = 4,
    /// Subsamples of rows for screening.
    Screening = 5,
    /// Uncertain quantities such as prices.
    Quantities = 6,
}

/// The random numbers of one seed and stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Random {
    key: [u32; 2],
    stream: u32,
}

impl Random {
    /// The numbers of `seed` for one purpose.
    pub fn new(seed: u64, stream: Stream) -> Self {
        Random {
            key: [seed as u32, (seed >> 32) as u32],
            stream: stream as u32,
        }
    }

    /// 64 random bits; two successive indices share one Philox block.
    #[inline]
    pub fn bits(&self, replicate: u32, index: u64) -> u64 {
        let block = index >> 1;
        let words = philox4x32(
            [block as u32, (block >> 32) as u32, replicate, self.stream],
            self.key,
        );
        let half = 2 * (index & 1) as usize;
        u64::from(words[half]) | u64::from(words[half + 1]) << 32
    }

    /// Uniform on [0, 1), a multiple of 2⁻⁵³.
    #[inline]
    pub fn uniform(&self, replicate: u32, index: u64) -> f64 {
        (self.bits(replicate, index) >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform on the open interval (0, 1), symmetric about ½.
    #[inline]
    pub fn uniform_open(&self, replicate: u32, index: u64) -> f64 {
        ((self.bits(replicate, index) >> 12) as f64 + 0.5) * (1.0 / (1u64 << 52) as f64)
    }

    /// Standard normal, by inversion of one uniform.
    #[inline]
    pub fn normal(&self, replicate: u32, index: u64) -> f64 {
        normal_quantile(self.uniform_open(replicate, index))
    }

    /// A whole number in 0..bound (0 for a bound of 0); its bias is below bound·2⁻⁶⁴.
    #[inline]
    pub fn below(&self, replicate: u32, index: u64, bound: u64) -> u64 {
        ((u128::from(self.bits(replicate, index)) * u128::from(bound)) >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn known_answers_of_random123() {
        // `kat_vectors` of the Random123 distribution, lines "philox4x32 10".
        let all = u32::MAX;
        assert_eq!(
            philox4x32([0; 4], [0; 2]),
            [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8]
        );
        assert_eq!(
            philox4x32([all; 4], [all; 2]),
            [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd]
        );
        assert_eq!(
            philox4x32(
                [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
                [0xa4093822, 0x299f31d0]
            ),
            [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1]
        );
    }

    #[test]
    fn uniforms_have_the_moments_of_the_uniform_law() {
        let random = Random::new(7, Stream::Noise);
        let n = 200_000;
        let (mut sum, mut squares, mut lagged) = (0.0, 0.0, 0.0);
        for i in 0..n {
            let x = random.uniform(3, i) - 0.5;
            sum += x;
            squares += x * x;
            lagged += x * (random.uniform(3, i + 1) - 0.5);
        }
        let n = n as f64;
        // Five standard errors of each mean.
        assert!((sum / n).abs() < 5.0 * (1.0 / 12.0 / n).sqrt());
        assert!((squares / n - 1.0 / 12.0).abs() < 5.0 * (1.0 / 180.0 / n).sqrt());
        assert!((lagged / n).abs() < 5.0 / 12.0 / n.sqrt());
    }

    #[test]
    fn normals_have_the_moments_of_the_normal_law() {
        let random = Random::new(9, Stream::Noise);
        let n = 200_000;
        let mut moments = [0.0; 4];
        for i in 0..n {
            let z = random.normal(0, i);
            for (power, moment) in moments.iter_mut().enumerate() {
                *moment += z.powi(power as i32 + 1) / n as f64;
            }
        }
        // Five standard errors, from the variances 1, 2, 15 and 96 of the powers.
        for (moment, (expected, variance)) in
            moments
                .iter()
                .zip([(0.0, 1.0), (1.0, 2.0), (0.0, 15.0), (3.0, 96.0f64)])
        {
            assert!(
                (moment - expected).abs() < 5.0 * (variance / n as f64).sqrt(),
                "{moments:?}"
            );
        }
    }

    #[test]
    fn bounded_integers_are_even() {
        let random = Random::new(11, Stream::Resampling);
        let (n, bound) = (70_000u64, 7u64);
        let mut counts = [0.0; 7];
        (0..n).for_each(|i| counts[random.below(0, i, bound) as usize] += 1.0);
        let expected = n as f64 / bound as f64;
        let chi_square: f64 = counts
            .iter()
            .map(|c| (c - expected) * (c - expected) / expected)
            .sum();
        // 99.99 % quantile of χ² with 6 degrees of freedom.
        assert!(chi_square < 27.86, "{chi_square}");
        assert_eq!(random.below(0, 0, 0), 0);
    }

    proptest! {
        #[test]
        fn ranges_hold_and_every_argument_matters(seed: u64, replicate: u32, index in 0u64..u64::MAX - 1) {
            let random = Random::new(seed, Stream::Starts);
            let u = random.uniform(replicate, index);
            prop_assert!((0.0..1.0).contains(&u));
            let open = random.uniform_open(replicate, index);
            prop_assert!(open > 0.0 && open < 1.0);
            prop_assert!(random.below(replicate, index, 10) < 10);
            let bits = random.bits(replicate, index);
            prop_assert_ne!(bits, random.bits(replicate, index + 1));
            prop_assert_ne!(bits, random.bits(replicate ^ 1, index));
            prop_assert_ne!(bits, Random::new(seed ^ 1 << 40, Stream::Starts).bits(replicate, index));
            prop_assert_ne!(bits, Random::new(seed, Stream::Draws).bits(replicate, index));
        }
    }
}
