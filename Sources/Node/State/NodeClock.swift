import CLinux
import EventLog
import Foundation

/// The node's clocks: UTC with what the operating system says of its state, and one that never runs back.
struct NodeClock: Sendable {
    /// The moment in UTC, the zone, and whether the operating system holds the clock synchronised.
    func now() -> NodeTime {
        let now = Date()
        var kernel = timex()
        kernel.modes = 0
        // A node without the right to ask knows nothing of its clock's state, and says so.
        let state = adjtimex(&kernel)
        let isSynchronised = state >= 0 && state != TIME_ERROR && kernel.status & STA_UNSYNC == 0
        return NodeTime(
            utcMilliseconds: Int64((now.timeIntervalSince1970 * 1000).rounded(.down)),
            offsetMinutes: Int64(TimeZone.current.secondsFromGMT(for: now) / 60), isSynchronised: isSynchronised,
            errorBoundMilliseconds: isSynchronised ? UInt64(max(kernel.maxerror, 0)) / 1000 : nil)
    }

    /// Milliseconds of a clock that never runs back.
    static func monotonicMilliseconds() -> UInt64 {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return UInt64(time.tv_sec) * 1000 + UInt64(time.tv_nsec) / 1_000_000
    }
}
