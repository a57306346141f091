/// Bounds on what a reader takes from a file, so that no file can exhaust the memory.
public struct ODMReadingLimits: Hashable, Sendable {
    /// The greatest number of bytes in a file.
    public var maximumFileBytes: Int
    /// The greatest number of elements within each other.
    public var maximumDepth: Int
    /// The greatest number of bytes in an attribute, or in the text between two tags.
    public var maximumTextBytes: Int
    /// The greatest number of attributes of an element.
    public var maximumAttributes: Int
    /// The greatest number of elements held at once: those of one definition or one form.
    public var maximumElementsHeld: Int
    /// The greatest number of bytes in an OID, subject key or repeat key.
    public var maximumKeyBytes: Int

    /// States limits; the defaults are wide for any real file.
    public init(
        maximumFileBytes: Int = 512 << 20, maximumDepth: Int = 64, maximumTextBytes: Int = 1 << 20,
        maximumAttributes: Int = 256, maximumElementsHeld: Int = 500_000, maximumKeyBytes: Int = 1_024
    ) {
        self.maximumFileBytes = maximumFileBytes
        self.maximumDepth = maximumDepth
        self.maximumTextBytes = maximumTextBytes
        self.maximumAttributes = maximumAttributes
        self.maximumElementsHeld = maximumElementsHeld
        self.maximumKeyBytes = maximumKeyBytes
    }
}
