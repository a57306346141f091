/// Alters samples at random, by a seed: the same run for everybody.
struct Mutator {
    var generator: SplitMix64
    /// What is spliced into others, beside the sample itself.
    let corpus: [[UInt8]]

    /// Pieces that readers have trouble with: numbers at the ends of their ranges as varints and text, brackets without
    /// end, ends of lines, halves of characters.
    private static let pieces: [[UInt8]] =
        [
            [0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x01], [0xFF, 0xFF, 0xFF, 0xFF, 0x0F],
            [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80], [0x00], [0xFF], [0xC3],
            [0xED, 0xA0, 0x80],
            [0xF4, 0x90, 0x80, 0x80],
        ]
        + [
            "9223372036854775807", "9223372036854775808", "18446744073709551615", "-1", "1e999", "-9223372036854775808",
            "0", "\n", "\r\n", "\"", "\\", "\\u0000", "\\ud800", "{", "}", "[", "]", "<", ">", "&#x110000;", "<!--",
            "<![CDATA[",
            "]]>", ",", ":", "- ", "&a *a", "null", "true", "=", "+", "\u{2014} ", "/",
            String(repeating: "[", count: 300), String(repeating: "{\"a\":", count: 300),
            String(repeating: "<a>", count: 300),
            String(repeating: "A", count: 5_000), "9999-99-99", "0000-00-00T00:00:00Z", "1970-01-01T24:61:61+99:99",
        ].map { [UInt8]($0.utf8) }

    init(seed: UInt64, corpus: [[UInt8]]) {
        generator = SplitMix64(seed: seed)
        self.corpus = corpus
    }

    /// The sample with one to five changes.
    mutating func mutated(_ sample: [UInt8]) -> [UInt8] {
        var bytes = sample
        for _ in 0...generator.below(5) {
            guard !bytes.isEmpty else { return generator.bytes(generator.below(40)) }
            let place = generator.below(bytes.count)
            let length = min(bytes.count - place, 1 + generator.below(60))
            switch generator.below(10) {
            case 0: bytes[place] ^= 1 << UInt8(generator.below(8))
            case 1: bytes[place] = UInt8(generator.below(256))
            case 2: bytes.removeSubrange(place..<place + length)
            case 3: bytes.removeLast(bytes.count - place)
            case 4: bytes.insert(contentsOf: bytes[place..<place + length], at: generator.below(bytes.count))
            case 5: bytes.insert(contentsOf: Mutator.pieces[generator.below(Mutator.pieces.count)], at: place)
            case 6:
                bytes.replaceSubrange(
                    place..<place + length, with: Mutator.pieces[generator.below(Mutator.pieces.count)])
            case 7:
                guard let other = generator.pick(corpus), !other.isEmpty else { continue }
                let start = generator.below(other.count)
                bytes.insert(contentsOf: other[start..<min(other.count, start + 200)], at: place)
            case 8: bytes.replaceSubrange(place..<place + length, with: generator.bytes(length))
            default: bytes.swapAt(place, generator.below(bytes.count))
            }
        }
        return bytes
    }
}

/// Feeds a reader with samples, what a seed makes of them, and bytes at random.
enum Fuzzing {
    /// What came of a run.
    struct Outcome {
        /// Inputs that were read.
        var read = 0
        /// Inputs that were refused.
        var refused = 0
    }

    /// - Parameters:
    ///   - samples: what the reader reads; each is tried as it is.
    ///   - rounds: how many altered inputs.
    ///   - reader: reads an input; false or an error where it refuses.
    static func run(
        _ samples: [[UInt8]], rounds: Int, seed: UInt64, _ reader: ([UInt8]) throws -> Bool
    ) -> Outcome {
        var outcome = Outcome()
        func feed(_ bytes: [UInt8]) {
            var isRead = false
            do {
                isRead = try reader(bytes)
            } catch {
                // A refusal is a sentence, whatever came.
                precondition(!"\(error)".isEmpty)
            }
            if isRead { outcome.read += 1 } else { outcome.refused += 1 }
        }
        for sample in samples { feed(sample) }
        var mutator = Mutator(seed: seed, corpus: samples)
        for round in 0..<rounds {
            let sample = samples[round % samples.count]
            feed(
                mutator.generator.chance(3)
                    ? mutator.generator.bytes(mutator.generator.below(200)) : mutator.mutated(sample))
        }
        return outcome
    }
}
