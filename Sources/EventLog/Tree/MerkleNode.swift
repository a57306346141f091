/// The place of a complete subtree: `2^level` leaves from leaf `index × 2^level` on.
///
/// Level 0 are the leaves. Once a log has grown past a complete subtree, its root never changes: a store may keep it.
public struct MerkleNode: Hashable, Sendable {
    /// How many levels above the leaves the root of the subtree lies, 0...63.
    public let level: UInt8
    /// Which of the subtrees of this level it is, counted from the left.
    public let index: UInt64

    /// Names a subtree; `level` is at most 63, and the subtree ends at or before leaf 2^64 - 1.
    public init(level: UInt8, index: UInt64) {
        precondition(level < 64, "a Merkle tree of 64-bit indices has levels 0 to 63")
        precondition(index <= UInt64.max >> level, "the subtree lies beyond 64-bit leaf indices")
        self.level = level
        self.index = index
    }

    /// The index of the first leaf under the node.
    public var firstLeaf: UInt64 { index << level }

    /// The number of leaves under the node.
    public var leafCount: UInt64 { 1 << level }
}
