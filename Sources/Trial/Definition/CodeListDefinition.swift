/// One code of a code list (`CodeListItem`, `EnumeratedItem`).
public struct CodeListEntry: Hashable, Sendable, Codable {
    /// The code, as a file or entry holds it.
    public let codedValue: String
    /// What it means; empty for an enumerated item, which is its own meaning.
    public let decode: TranslatedTexts
    /// Its rank among the codes, as written.
    public let rank: String?
    /// Its place when the codes are shown.
    public let orderNumber: Int?
    /// Other names.
    public let aliases: [Alias]

    /// States a code.
    public init(
        codedValue: String, decode: TranslatedTexts = TranslatedTexts(), rank: String? = nil, orderNumber: Int? = nil,
        aliases: [Alias] = []
    ) {
        self.codedValue = codedValue
        self.decode = decode
        self.rank = rank
        self.orderNumber = orderNumber
        self.aliases = aliases
    }

    /// The meaning for a reader who prefers `languages`, else the code.
    public func label(preferring languages: [String]) -> String {
        decode.text(preferring: languages) ?? codedValue
    }
}

/// A dictionary kept elsewhere, of which membership cannot be checked here (`ExternalCodeList`).
public struct ExternalCodeList: Hashable, Sendable, Codable {
    /// The dictionary's name, for example `MedDRA`.
    public let dictionary: String?
    /// Its version.
    public let version: String?

    /// Names a dictionary.
    public init(dictionary: String?, version: String?) {
        self.dictionary = dictionary
        self.version = version
    }
}

/// The codes an item's value may be (`CodeList`).
///
/// Invariants:
/// - `positions` maps each code's normal form under ``dataType`` to the first entry of that form.
public struct CodeListDefinition: ObjectIdentified {
    /// The OID.
    public let oid: CodeListOID
    /// The name.
    public let name: String
    /// The type of the codes: integer, float, text or string.
    public let dataType: ItemDataType
    /// The codes, by order number where given, else as in the file.
    public let entries: [CodeListEntry]
    /// The dictionary, for a list that is kept elsewhere.
    public let external: ExternalCodeList?
    /// What the list is for.
    public let description: TranslatedTexts
    /// Other names.
    public let aliases: [Alias]
    private let positions: [String: Int]

    /// Defines a list; codes are put in the order of their order numbers, those without one last.
    public init(
        oid: CodeListOID, name: String, dataType: ItemDataType, entries: [CodeListEntry],
        external: ExternalCodeList? = nil, description: TranslatedTexts = TranslatedTexts(), aliases: [Alias] = []
    ) {
        self.oid = oid
        self.name = name
        self.dataType = dataType
        self.entries = inOrder(entries) { $0.orderNumber }
        self.external = external
        self.description = description
        self.aliases = aliases
        var positions: [String: Int] = [:]
        for (position, entry) in self.entries.enumerated() {
            let key = CodeListDefinition.key(of: entry.codedValue, as: dataType) ?? entry.codedValue
            if positions[key] == nil { positions[key] = position }
        }
        self.positions = positions
    }

    /// The code that a value stands for, nil where it is none of the list.
    ///
    /// Codes of numeric lists are compared as numbers, so `01` is `1`; a boolean value also finds the codes `1` and `0`.
    /// - Parameter value: a value as typed or in normal form.
    /// - Complexity: O(1) in the number of codes.
    public func entry(for value: String) -> CodeListEntry? {
        if let found = position(of: value) { return entries[found] }
        switch value {
        case "true": return position(of: "1").map { entries[$0] }
        case "false": return position(of: "0").map { entries[$0] }
        default: return nil
        }
    }

    /// Whether a value may stand: it is a code of the list, or the list is kept elsewhere.
    public func allows(_ value: String) -> Bool {
        external != nil || entry(for: value) != nil
    }

    private func position(of value: String) -> Int? {
        CodeListDefinition.key(of: value, as: dataType).flatMap { positions[$0] }
    }

    /// The form by which codes are recognised, nil where the value is not of the list's type.
    private static func key(of value: String, as type: ItemDataType) -> String? {
        try? ValueNormaliser.normalForm(of: value, as: type)
    }

    /// Whether everything the file says of the lists is equal.
    public static func == (left: CodeListDefinition, right: CodeListDefinition) -> Bool {
        left.oid == right.oid && left.name == right.name && left.dataType == right.dataType
            && left.entries == right.entries && left.external == right.external
            && left.description == right.description && left.aliases == right.aliases
    }

    /// Hashes what tells lists apart: OID and codes.
    public func hash(into hasher: inout Hasher) {
        hasher.combine(oid)
        hasher.combine(entries)
    }
}

/// Sorts by order number, keeping the file's order among equal ones and putting those without a number last.
package func inOrder<Element>(_ elements: [Element], by orderNumber: (Element) -> Int?) -> [Element] {
    elements.enumerated().sorted { left, right in
        let first = (orderNumber(left.element) ?? Int.max, left.offset)
        let second = (orderNumber(right.element) ?? Int.max, right.offset)
        return first < second
    }.map(\.element)
}
