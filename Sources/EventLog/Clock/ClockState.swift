/// What a node knew of its own clock when it wrote an entry; entries state it so that a reader can weigh their times.
public struct ClockState: Hashable, Sendable {
    /// Whether the operating system says that the clock is kept in step with a time source.
    public let isSynchronised: Bool
    /// How far, in milliseconds, the clock may be off; nil where that is not known.
    public let errorBoundMilliseconds: UInt64?

    /// Not synchronised, and nothing is known of the error.
    public static let unknown = ClockState(isSynchronised: false, errorBoundMilliseconds: nil)

    /// States what is known.
    public init(isSynchronised: Bool, errorBoundMilliseconds: UInt64?) {
        self.isSynchronised = isSynchronised
        self.errorBoundMilliseconds = errorBoundMilliseconds
    }
}
