/// Pseudo-random numbers that a seed determines on every machine (SplitMix64, Steele, Lea and Flood 2014).
///
/// Only the functions here are used on it, not the standard library's: their way of drawing may change between versions.
struct SeededGenerator {
    private var state: UInt64

    /// A generator for one of several independent sequences of a seed.
    init(seed: UInt64, _ positions: Int...) {
        state = seed
        for position in positions {
            state = next() ^ UInt64(truncatingIfNeeded: position)
        }
    }

    /// The next 64 bits.
    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number in `range`; the lower bound where the range is wider than 2⁶³.
    mutating func number(in range: ClosedRange<Int>) -> Int {
        let (width, overflow) = range.upperBound.subtractingReportingOverflow(range.lowerBound)
        guard !overflow, width < Int.max else { return range.lowerBound }
        return range.lowerBound + Int(next() % UInt64(width + 1))
    }

    /// True in `percent` of a hundred cases.
    mutating func happens(percent: Int) -> Bool {
        number(in: 0...99) < percent
    }

    /// One of `elements`, nil where there are none.
    mutating func element<Element>(of elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[number(in: 0...(elements.count - 1))]
    }
}
