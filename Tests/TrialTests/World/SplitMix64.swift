import EventLog

/// A small seeded generator, so that every run of a test draws the same values.
typealias SplitMix64 = SeededGenerator

extension SeededGenerator {
    /// A number from 0 to `count - 1`.
    mutating func below(_ count: Int) -> Int { Int.random(in: 0..<count, using: &self) }

    /// True in `percent` of 100 draws.
    mutating func chance(_ percent: Int) -> Bool { below(100) < percent }

    /// One of `elements`; nil where there are none.
    mutating func pick<Element>(_ elements: some Collection<Element>) -> Element? {
        elements.randomElement(using: &self)
    }

    /// One of the given elements.
    mutating func one<Element>(of elements: Element...) -> Element { elements[below(elements.count)] }

    mutating func bytes(_ count: Int) -> [UInt8] {
        (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) }
    }

    mutating func hash() -> Hash { .sha256(bytes(16)) }
    mutating func entryID() -> EntryID { EntryID(hash()) }
}
