/// A thing that an OID names.
public protocol ObjectIdentified: Hashable, Sendable {
    /// The kind of OID.
    associatedtype OID: ObjectIdentifierText
    /// The name.
    var oid: OID { get }
}

/// Definitions or references in the order of their file, found by OID in constant time.
///
/// Invariants:
/// - `positions` holds exactly the OIDs of `elements`, each with the index of the first element of that OID;
/// - no two elements have the same OID: of equal ones the first is kept (readers report the others before).
public struct OIDTable<Element: ObjectIdentified>: Hashable, Sendable, RandomAccessCollection {
    private let elements: [Element]
    private let positions: [Element.OID: Int]

    /// Takes `elements` in their order.
    public init(_ elements: [Element] = []) {
        var kept: [Element] = []
        var positions: [Element.OID: Int] = [:]
        kept.reserveCapacity(elements.count)
        positions.reserveCapacity(elements.count)
        for element in elements where positions[element.oid] == nil {
            positions[element.oid] = kept.count
            kept.append(element)
        }
        self.elements = kept
        self.positions = positions
    }

    /// The first index, 0.
    public var startIndex: Int { 0 }
    /// The number of elements.
    public var endIndex: Int { elements.count }

    /// The element at an index in the file's order.
    public subscript(position: Int) -> Element { elements[position] }

    /// The element of that OID, nil where there is none.
    /// - Complexity: O(1).
    public subscript(oid: Element.OID) -> Element? {
        positions[oid].map { elements[$0] }
    }

    /// Whether an element of that OID is here.
    /// - Complexity: O(1).
    public func contains(oid: Element.OID) -> Bool { positions[oid] != nil }

    /// The index of the element of that OID in the file's order.
    /// - Complexity: O(1).
    public func position(of oid: Element.OID) -> Int? { positions[oid] }

    /// Whether the elements and their order are equal.
    public static func == (left: OIDTable, right: OIDTable) -> Bool { left.elements == right.elements }

    /// Hashes the elements.
    public func hash(into hasher: inout Hasher) { hasher.combine(elements) }
}
