//! Whatever the text, it is read or refused: no panic, and every problem has a place.

use tidegate_core::config::Config;

use super::SOMELI;

/// Knuth's MMIX constants: the same texts in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }
}

#[track_caller]
fn is_read_or_refused(text: &str) -> bool {
    match Config::parse("f", text) {
        Ok(config) => {
            let stored = config.resolve("123456789012", "us-west-2").unwrap();
            assert!(
                !stored.is_empty() && stored.iter().all(|one| !one.cluster.is_empty()),
                "{text}"
            );
            true
        }
        Err(problems) => {
            assert!(!problems.0.is_empty(), "{text}");
            assert!(problems.0.iter().all(|p| p.line > 0 && p.column > 0), "{problems}\n{text}");
            false
        }
    }
}

#[test]
fn arbitrary_text_is_refused() {
    let alphabet: Vec<char> =
        "ab:-[]{}&*!|>'\"%@`#?,<~ \n\t01.x-é\u{feff}\u{0}\r".chars().collect();
    let mut numbers = Numbers(1);
    for _ in 0..3_000 {
        let length = numbers.below(60);
        let text: String = (0..length).map(|_| alphabet[numbers.below(alphabet.len())]).collect();
        assert!(!is_read_or_refused(&text));
    }
}

#[test]
fn the_example_with_pieces_moved_is_read_or_refused() {
    // Without comments, so that most changes hit something that counts.
    let lines = SOMELI.lines().map(|line| line.split(" #").next().unwrap());
    let plain: Vec<&str> = lines.filter(|line| !line.trim_start().starts_with('#')).collect();
    let plain = plain.join("\n");
    let mut numbers = Numbers(2);
    let mut read = 0;
    for _ in 0..1_500 {
        let mut text: Vec<char> = plain.chars().collect();
        for _ in 0..=numbers.below(3) {
            let (from, length) = (numbers.below(text.len()), numbers.below(8));
            let piece: Vec<char> = text[from..(from + length).min(text.len())].to_vec();
            let at = numbers.below(text.len());
            let end = (at + numbers.below(8)).min(text.len());
            text.splice(at..end, piece);
        }
        read += usize::from(is_read_or_refused(&text.into_iter().collect::<String>()));
    }
    assert!((10..1_400).contains(&read), "{read} were read: the changes test too little");
}
