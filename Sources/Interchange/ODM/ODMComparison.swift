import Trial

/// A file's name and content.
public struct NamedFile: Hashable, Sendable {
    /// What reports call the file.
    public let name: String
    /// The content.
    public let bytes: [UInt8]

    /// Names content.
    public init(name: String, bytes: [UInt8]) {
        self.name = name
        self.bytes = bytes
    }
}

/// What came of comparing two sets of files.
public struct ODMComparisonResult: Hashable, Sendable, Codable {
    /// How something differs.
    public enum Kind: String, Hashable, Sendable, Codable {
        /// Only in the first set.
        case onlyInFirst
        /// Only in the second set.
        case onlyInSecond
        /// The value, or whether there is one, or its unit.
        case value
        /// The audit record's user, location or time.
        case auditRecord
        /// The participant's site.
        case site
        /// Twice in one set.
        case twice
    }

    /// One difference, named by keys; values are not shown.
    public struct Difference: Hashable, Sendable, Codable {
        /// How.
        public let kind: Kind
        /// Where.
        public let path: [ImportPathStep]

        /// For example `value: SubjectData 01 / StudyEventData SE.V1 / …`.
        public var text: String { "\(kind.rawValue): \(path.map(\.text).joined(separator: " / "))" }
    }

    /// Items in the first set.
    public internal(set) var itemsInFirst = 0
    /// Items in the second set.
    public internal(set) var itemsInSecond = 0
    /// The number of differences of each kind.
    public internal(set) var counts: [Kind: Int] = [:]
    /// The first differences, in the order of their keys.
    public internal(set) var differences: [Difference] = []
    /// Errors that kept files from being read.
    public internal(set) var report = ImportReport()

    /// Whether both sets were read and hold the same.
    public var areEqual: Bool { counts.isEmpty && !report.hasErrors }

    /// A few lines for people.
    public var text: String {
        var lines = ["\(itemsInFirst) items in the first set, \(itemsInSecond) in the second"]
        if areEqual { return lines[0] + ": equal" }
        lines += counts.sorted { $0.key.rawValue < $1.key.rawValue }.map { "\($0.key.rawValue): \($0.value)" }
        lines += differences.map(\.text)
        if report.hasErrors { lines.append(report.text(atLeast: .error)) }
        return lines.joined(separator: "\n")
    }
}

/// Compares two sets of ODM files as sets: the order of participants, visits, forms, groups and items, and how they are
/// divided over files, does not matter.
///
/// Compared are, for each item, its value as written, its unit, and the user, location and time of the audit record that
/// holds for it; an item without a record of its own has that of its group, form, visit or participant. Times are equal
/// that name the same moment. Forms without items are compared too, and each participant's site.
public enum ODMComparison {
    /// Compares.
    /// - Parameters:
    ///   - limit: the greatest number of differences listed; all are counted.
    public static func differences(
        _ first: [NamedFile], _ second: [NamedFile], limit: Int = 20
    ) -> ODMComparisonResult {
        var result = ODMComparisonResult()
        var all: [ODMComparisonResult.Difference] = []
        let left = read(first, &result, &all)
        let right = read(second, &result, &all)
        result.itemsInFirst = left.itemCount
        result.itemsInSecond = right.itemCount
        for (key, datum) in left.data {
            guard let other = right.data[key] else {
                all.append(key.difference(.onlyInFirst))
                continue
            }
            if datum.value != other.value || datum.unit != other.unit { all.append(key.difference(.value)) }
            if datum.record != other.record { all.append(key.difference(.auditRecord)) }
        }
        for key in right.data.keys where left.data[key] == nil { all.append(key.difference(.onlyInSecond)) }
        for (subject, site) in left.sites where right.sites[subject].map({ $0 != site }) ?? false {
            all.append(.init(kind: .site, path: [ImportPathStep("SubjectData", subject)]))
        }
        for difference in all { result.counts[difference.kind, default: 0] += 1 }
        result.differences = Array(all.sorted { $0.text < $1.text }.prefix(limit))
        return result
    }

    private static func read(
        _ files: [NamedFile], _ result: inout ODMComparisonResult, _ found: inout [ODMComparisonResult.Difference]
    ) -> ComparedData {
        var data = ComparedData()
        for file in files {
            let (clinicalData, summary) = ODMClinicalReader(definition: nil)
                .readAll(bytes: file.bytes, fileName: file.name)
            if summary.report.hasErrors { result.report.add(summary.report) }
            for subject in clinicalData.subjects { data.add(subject, &found) }
        }
        return data
    }
}

/// The key of an item, or of a form that has none.
private struct ComparedKey: Hashable {
    var subject: String
    var event: RepeatedKey
    var form: RepeatedKey
    var group: RepeatedKey?
    var item: String?

    func difference(_ kind: ODMComparisonResult.Kind) -> ODMComparisonResult.Difference {
        var path = [
            ImportPathStep("SubjectData", subject),
            ImportPathStep("StudyEventData", event.oid, repeatKey: event.repeatKey),
            ImportPathStep("FormData", form.oid, repeatKey: form.repeatKey),
        ]
        if let group { path.append(ImportPathStep("ItemGroupData", group.oid, repeatKey: group.repeatKey)) }
        if let item { path.append(ImportPathStep("ItemData", item)) }
        return .init(kind: kind, path: path)
    }
}

/// What is compared of an item.
private struct ComparedDatum {
    /// The bytes: two spellings of one character are two values.
    var value: [UInt8]?
    var unit: String?
    var record: [String]?
}

/// One set of files.
private struct ComparedData {
    var data: [ComparedKey: ComparedDatum] = [:]
    var sites: [String: LocationOID?] = [:]
    var itemCount = 0

    mutating func add(_ subject: ODMSubjectData, _ found: inout [ODMComparisonResult.Difference]) {
        sites[subject.subjectKey] = .some(subject.site)
        for event in subject.events {
            for form in event.forms {
                var key = ComparedKey(
                    subject: subject.subjectKey, event: RepeatedKey(oid: event.event.text, repeatKey: event.repeatKey),
                    form: RepeatedKey(oid: form.form.text, repeatKey: form.repeatKey))
                if form.itemCount == 0 {
                    let record = form.auditRecord ?? event.auditRecord ?? subject.auditRecord
                    put(ComparedDatum(record: compared(record)), key, &found)
                }
                for group in form.groups {
                    key.group = RepeatedKey(oid: group.group.text, repeatKey: group.repeatKey)
                    for item in group.items {
                        key.item = item.item.text
                        let record = form.effectiveAuditRecord(of: item, in: group, event: event, subject: subject)
                        let datum = ComparedDatum(
                            value: item.value.map { [UInt8]($0.utf8) }, unit: item.measurementUnit?.text,
                            record: compared(record))
                        put(datum, key, &found)
                        itemCount += 1
                    }
                }
            }
        }
    }

    private mutating func put(
        _ datum: ComparedDatum, _ key: ComparedKey, _ found: inout [ODMComparisonResult.Difference]
    ) {
        if data.updateValue(datum, forKey: key) != nil { found.append(key.difference(.twice)) }
    }

    private func compared(_ record: ODMAuditRecord?) -> [String]? {
        record.map { [$0.user.text, $0.location.text, ODMInstant.canonical($0.dateTimeStamp)] }
    }
}
