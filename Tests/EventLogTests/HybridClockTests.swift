import EventLog
import Testing

struct HybridClockTests {
    @Test func `a stamp holds 48 bits of milliseconds and 16 of counter`() throws {
        let stamp = try #require(HybridTimestamp(milliseconds: 1_732_420_000_123, counter: 7))
        #expect(stamp.milliseconds == 1_732_420_000_123)
        #expect(stamp.counter == 7)
        #expect(stamp.packed == 1_732_420_000_123 << 16 | 7)
        #expect(HybridTimestamp(packed: stamp.packed) == stamp)
        #expect(stamp.description == "1732420000123.7")
        #expect(HybridTimestamp(milliseconds: 1 << 48, counter: 0) == nil)
        #expect(HybridTimestamp(milliseconds: (1 << 48) - 1, counter: .max)?.packed == .max)
    }

    @Test func `stamps order by milliseconds, then counter`() {
        var generator = SplitMix64(seed: 7)
        for _ in 0..<1_000 {
            let left = HybridTimestamp(packed: generator.next() >> 40)
            let right = HybridTimestamp(packed: generator.next() >> 40)
            let expected = (left.milliseconds, left.counter) < (right.milliseconds, right.counter)
            #expect((left < right) == expected)
        }
    }

    @Test func `the clock follows the physical time, and counts where that stands still or falls`() {
        var clock = HybridClock()
        #expect(clock.next(physicalMilliseconds: 1_000) == HybridTimestamp(milliseconds: 1_000, counter: 0))
        #expect(clock.next(physicalMilliseconds: 1_000) == HybridTimestamp(milliseconds: 1_000, counter: 1))
        #expect(clock.next(physicalMilliseconds: 10) == HybridTimestamp(milliseconds: 1_000, counter: 2))
        #expect(clock.next(physicalMilliseconds: 1_001) == HybridTimestamp(milliseconds: 1_001, counter: 0))
    }

    @Test func `a full counter carries into the milliseconds`() throws {
        let full = try #require(HybridTimestamp(milliseconds: 1_000, counter: .max))
        var clock = try #require(HybridClock(resumingAfter: full))
        #expect(clock.next(physicalMilliseconds: 1_000) == HybridTimestamp(milliseconds: 1_001, counter: 0))
    }

    @Test func `stamps grow strictly whatever the physical clock and the others do`() {
        var generator = SplitMix64(seed: 8)
        for _ in 0..<50 {
            var clock = HybridClock()
            var previous = HybridTimestamp.zero
            for _ in 0..<400 {
                let shift = UInt64.random(in: 0...63, using: &generator)
                let physical = generator.next() >> shift
                if Bool.random(using: &generator) {
                    clock.observe(HybridTimestamp(packed: generator.next()), physicalMilliseconds: physical)
                }
                let stamp = clock.next(physicalMilliseconds: physical)
                #expect(stamp > previous)
                previous = stamp
            }
        }
    }

    @Test func `a remote stamp within the bound comes before the next own one`() throws {
        var generator = SplitMix64(seed: 9)
        for _ in 0..<1_000 {
            let physical = UInt64.random(in: 0...(1 << 45), using: &generator)
            let ahead = UInt64.random(in: 0..<HybridClock.maximumLeadMilliseconds, using: &generator)
            let counter = UInt16.random(in: 0...UInt16.max, using: &generator)
            let remote = try #require(HybridTimestamp(milliseconds: physical + ahead, counter: counter))
            var clock = HybridClock()
            clock.observe(remote, physicalMilliseconds: physical)
            #expect(clock.latest == remote)
            #expect(clock.next(physicalMilliseconds: physical) > remote)
        }
    }

    @Test func `a remote stamp moves the clock at most 60 seconds past the physical time`() {
        var generator = SplitMix64(seed: 10)
        for _ in 0..<1_000 {
            let physical = UInt64.random(in: 0...(1 << 45), using: &generator)
            var clock = HybridClock()
            clock.observe(HybridTimestamp(packed: .max), physicalMilliseconds: physical)
            #expect(clock.latest == HybridTimestamp(milliseconds: physical + 60_000, counter: 0))
        }
    }

    @Test func `a remote stamp never moves the clock back`() throws {
        let start = try #require(HybridTimestamp(milliseconds: 5_000_000, counter: 3))
        var clock = try #require(HybridClock(resumingAfter: start))
        clock.observe(.zero, physicalMilliseconds: 5_000_000)
        #expect(clock.latest == start)
        // The node's own clock was set back by more than the bound: its stamps still do not fall.
        clock.observe(HybridTimestamp(packed: .max), physicalMilliseconds: 1_000)
        #expect(clock.latest == start)
    }

    @Test func `a physical clock that shows nonsense neither traps nor uses up the stamps`() {
        var clock = HybridClock()
        clock.observe(HybridTimestamp(packed: .max), physicalMilliseconds: .max)
        let first = clock.next(physicalMilliseconds: .max)
        let second = clock.next(physicalMilliseconds: .max)
        #expect(first < second)
        #expect(second.packed < UInt64.max / 2 + (1 << 40))
        #expect(HybridClock(resumingAfter: second) != nil)
    }

    @Test func `a log whose last stamp leaves no room cannot be continued`() {
        #expect(HybridClock(resumingAfter: HybridTimestamp(packed: .max)) == nil)
        #expect(HybridClock(resumingAfter: HybridTimestamp(packed: .max - (1 << 32))) != nil)
    }

    @Test func `a clock of which nothing is known is not called synchronised`() {
        #expect(ClockState.unknown == ClockState(isSynchronised: false, errorBoundMilliseconds: nil))
        #expect(ClockState(isSynchronised: true, errorBoundMilliseconds: 12) != .unknown)
    }
}
