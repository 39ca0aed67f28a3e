//! Numbers of people as they are told to the public: coarse, so that the coming and going of one person
//! is not seen in them.

/// A number as it may be told. 0 is 0; 1 stands for one to four ("a few") and 5 for five to nine; from
/// ten on it is rounded down to a multiple of five, from a hundred on to two leading digits.
pub fn rounded(count: u64) -> u64 {
    match count {
        0 => 0,
        1..=4 => 1,
        5..=99 => count - count % 5,
        _ => {
            let step = 10_u64.pow(count.ilog10() - 1);
            count - count % step
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_is_seldom_told() {
        let told = [0, 1, 4, 5, 9, 10, 14, 99, 100, 109, 110, 999, 1_000, 1_099].map(rounded);
        let expected = [0, 1, 1, 5, 5, 10, 10, 95, 100, 100, 110, 990, 1_000, 1_000];
        assert_eq!(told, expected);
        assert_eq!(rounded(u64::MAX), 18_000_000_000_000_000_000);
    }
}
