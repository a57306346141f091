import Interchange
import Testing
import Trial

struct NormaliserTests {
    static let normalForms: [(ItemDataType, String, String)] = [
        (.integer, "007", "7"), (.integer, "-0", "0"), (.integer, "+12", "12"), (.integer, " -05\n", "-5"),
        (.integer, "000", "0"), (.integer, "999999999999999999", "999999999999999999"),
        (.float, "1.50", "1.5"), (.float, "-0", "0"), (.float, "-0.00", "0"), (.float, "00.10", "0.1"),
        (.float, "5.", "5"), (.float, ".5", "0.5"), (.float, "+100", "100"), (.float, "-0.0500", "-0.05"),
        (.float, "0.100000000000000001", "0.100000000000000001"), (.float, "1200.00", "1200"),
        (.double, "1.50e+03", "1500"), (.double, "1D-2", "0.01"), (.double, "2E+40", "2E40"), (.double, "NaN", "NaN"),
        (.double, "1.25E-12", "1.25E-12"), (.boolean, "1", "true"), (.boolean, "false", "false"),
        (.boolean, " 0 ", "false"),
        (.date, "2024-02-29", "2024-02-29"), (.date, "2024-01-01Z", "2024-01-01Z"), (.time, "23:59:59.5", "23:59:59.5"),
        (.time, "12:00:00+01:00", "12:00:00+01:00"), (.datetime, "2013-11-17T12:20:00", "2013-11-17T12:20:00"),
        (.partialDate, "2013", "2013"), (.partialDate, "2013-11", "2013-11"), (.partialTime, "12:20", "12:20"),
        (.partialDatetime, "2013-11-17T12:20", "2013-11-17T12:20"), (.partialDatetime, "2013", "2013"),
        (.partialDatetime, "2013-11-17T12Z", "2013-11-17T12Z"), (.incompleteDate, "2013---17", "2013---17"),
        (.incompleteDatetime, "----17T-:20:-", "----17T-:20:-"), (.incompleteDatetime, "2013-11", "2013-11"),
        (.incompleteTime, "-:20:-", "-:20:-"), (.incompleteTime, "12:-:--", "12:-:--"),
        (.durationDatetime, "P1Y2M3DT4H5M6.7S", "P1Y2M3DT4H5M6.7S"), (.durationDatetime, "P2W", "P2W"),
        (.durationDatetime, "-PT5M", "-PT5M"), (.intervalDatetime, "2013/P1Y", "2013/P1Y"),
        (.text, "  kept \n", "  kept \n"), (.text, "e\u{301}", "\u{E9}"), (.text, "", ""), (.string, "007", "007"),
        (.uri, "https://example.org/a", "https://example.org/a"), (.hexBinary, "0aFf", "0AFF"),
        (.base64Binary, "QU JD\nRA==", "QUJDRA=="),
    ]

    @Test(arguments: normalForms) func `a value has one normal form`(type: ItemDataType, typed: String, normal: String)
        throws
    {
        let found = try ValueNormaliser.normalForm(of: typed, as: type)
        #expect(Array(found.utf8) == Array(normal.utf8))
        #expect(try ValueNormaliser.normalForm(of: found, as: type) == found)
    }

    static let wrong: [(ItemDataType, String)] = [
        (.integer, "1.0"), (.integer, "--1"), (.integer, "1e3"), (.integer, "٣"), (.integer, "1 2"), (.integer, "+"),
        (.float, "1,5"), (.float, "1.2.3"), (.float, "."), (.float, "1E3"), (.float, "INF"), (.float, "0x10"),
        (.double, "1E"), (.double, "E5"), (.double, "1E5.5"), (.boolean, "yes"), (.boolean, "TRUE"),
        (.date, "2023-02-29"), (.date, "2023-2-1"), (.date, "17.11.2013"), (.date, "0000-01-01"), (.date, "2013-11"),
        (.time, "24:00:00"), (.time, "12:20"), (.time, "12:60:00"), (.datetime, "2013-11-17"),
        (.datetime, "2013-11-17 12:20:00"), (.partialDate, "2013-13"), (.partialDate, "2013-02-30"),
        (.partialDatetime, "2013-11T12"), (.partialDatetime, "2013-11-17T"), (.partialDatetime, "UNKNOWN"),
        (.partialTime, "1220"), (.incompleteDate, "--"), (.incompleteDatetime, "2013-11-17T12-20"),
        (.durationDatetime, "P"), (.durationDatetime, "P1DT"), (.durationDatetime, "1D"), (.durationDatetime, "P1W2D"),
        (.intervalDatetime, "P1D/P1D"), (.intervalDatetime, "2013"), (.uri, "a b"), (.hexBinary, "ABC"),
        (.hexFloat, "00112233445566778899"), (.base64Binary, "AB=C"), (.base64Binary, "ABC"),
    ]

    @Test(arguments: wrong) func `text of another type has no normal form`(type: ItemDataType, typed: String) {
        #expect(throws: ValueProblem.wrongType(type)) { try ValueNormaliser.normalForm(of: typed, as: type) }
    }

    @Test func `sizes are bounded`() {
        #expect(throws: ValueProblem.numberTooLarge(.integer)) {
            try ValueNormaliser.normalForm(of: "1000000000000000000", as: .integer)
        }
        #expect(throws: ValueProblem.numberTooLarge(.float)) {
            try ValueNormaliser.normalForm(of: String(repeating: "9", count: 65), as: .float)
        }
        #expect(throws: ValueProblem.numberTooLarge(.float)) {
            try ValueNormaliser.normalForm(of: "0." + String(repeating: "0", count: 80) + "1", as: .float)
        }
        #expect(throws: ValueProblem.numberTooLarge(.double)) {
            try ValueNormaliser.normalForm(of: "1E99999999999", as: .double)
        }
        #expect(throws: ValueProblem.tooLarge(maximumBytes: 65_536)) {
            try ValueNormaliser.normalForm(of: String(repeating: "a", count: 65_537), as: .text)
        }
        #expect(throws: ValueProblem.empty(.integer)) { try ValueNormaliser.normalForm(of: " ", as: .integer) }
        #expect(throws: ValueProblem.illegalCharacter) { try ValueNormaliser.normalForm(of: "a\u{0}", as: .text) }
    }

    @Test func `normal forms are idempotent over random text of every type`() throws {
        let alphabet = Array("0123456789+-.:TZPYMDHSWE/ ,eé\u{301}aF=\t")
        var random = TestRandom(seed: 3)
        var accepted = 0
        for _ in 0..<60_000 {
            let type = ItemDataType.allCases.randomElement(using: &random) ?? .text
            let text = String(
                (0..<Int.random(in: 0...9, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "0" })
            guard let once = try? ValueNormaliser.normalForm(of: text, as: type) else { continue }
            accepted += 1
            let twice = try ValueNormaliser.normalForm(of: once, as: type)
            #expect(Array(once.utf8) == Array(twice.utf8), "\(type)")
        }
        #expect(accepted > 5_000)
    }

    @Test func `decimals are ordered and spelled as the numbers they are`() throws {
        var random = TestRandom(seed: 9)
        for _ in 0..<5_000 {
            let left = Int.random(in: -50_000...50_000, using: &random)
            let right = Int.random(in: -50_000...50_000, using: &random)
            func spelled(_ number: Int) -> String {
                let digits = String(abs(number))
                let padded = String(repeating: "0", count: max(4 - digits.count, 0)) + digits
                return "\(number < 0 ? "-" : "")00\(padded.dropLast(3)).\(padded.suffix(3))00"
            }
            let first = try DecimalNumber(spelled(left))
            let second = try DecimalNumber(spelled(right))
            #expect((first < second) == (left < right))
            #expect((first == second) == (left == right))
            let again = try DecimalNumber(first.description)
            #expect(again == first)
            #expect(try DecimalNumber(first.descriptionWithExponent, allowingExponent: true) == first)
        }
    }

    @Test func `days count up without a gap and come back from their number`() throws {
        var day = try #require(CalendarDate("1899-12-30"))
        var number = day.dayNumber
        for _ in 0..<80_000 {
            let next = day.adding(days: 1)
            #expect(next > day)
            number += 1
            #expect(next.dayNumber == number)
            #expect(CalendarDate(next.description) == next)
            day = next
        }
        #expect(CalendarDate(dayNumber: 0).description == "1970-01-01")
        #expect(CalendarDate(dayNumber: Int.max).description == "9999-12-31")
        #expect(CalendarDate(dayNumber: Int.min).description == "0001-01-01")
        #expect(CalendarDate("2026-11-24")?.dayNumber == 20_781)
        #expect(CalendarDate("2026-02-30") == nil)
    }
}

struct ValueJudgementTests {
    private func judge(_ typed: String, _ item: ItemOID, unit: MeasurementUnitOID? = nil) throws -> ValueJudgement {
        let study = try SmallStudy.definition()
        return ValueNormaliser.judge(typed, for: try #require(study.items[item]), in: study, unit: unit)
    }

    @Test func `hard checks are errors and soft ones warnings`() throws {
        #expect(try judge("018", "IT.AGE").isAcceptable)
        let young = try judge("17", "IT.AGE")
        #expect(young.normalForm == "17")
        #expect(young.errors.count == 1)
        #expect(young.errors.first?.reason == "the value must be at least 18")
        #expect(young.errors.first?.advice == "Adults only")
        let old = try judge("91", "IT.AGE")
        #expect(old.isAcceptable)
        #expect(old.warnings.count == 1)
        #expect(try judge("1234", "IT.AGE").errors == [.tooLong(maximumLength: 3)])
        #expect(try judge("x", "IT.AGE").normalForm == nil)
    }

    @Test func `codes, units and lengths are judged`() throws {
        #expect(try judge("F", "IT.SEX").isAcceptable)
        #expect(try judge("f", "IT.SEX").errors == [.notInCodeList("CL.SEX")])
        #expect(try judge("70", "IT.WEIGHT", unit: "MU.KG").isAcceptable)
        #expect(try judge("70", "IT.WEIGHT", unit: "MU.LB").errors == [.unitNotAllowed("MU.LB")])
        #expect(try judge("e\u{301}" + String(repeating: "a", count: 19), "IT.NOTE").isAcceptable)
        #expect(try judge(String(repeating: "a", count: 21), "IT.NOTE").errors == [.tooLong(maximumLength: 20)])
    }

    @Test func `a check for one unit applies to values of that unit`() {
        var study = StudyDefinition(
            studyOID: "S", metaDataVersionOID: "M", metaDataVersionName: "", studyName: "", studyDescription: "",
            protocolName: "")
        study.measurementUnits = OIDTable([
            MeasurementUnitDefinition(oid: "KG", name: "kg"), MeasurementUnitDefinition(oid: "LB", name: "lb"),
        ])
        var item = ItemDefinition(oid: "W", name: "Weight", dataType: .float)
        item.measurementUnits = ["LB", "KG"]
        item.rangeChecks = [
            RangeCheck(comparator: .lessThan, values: ["150"], severity: .hard, measurementUnit: "KG"),
            RangeCheck(comparator: .lessThan, values: ["300.0"], severity: .hard, measurementUnit: "LB"),
        ]
        func isAcceptable(_ value: String, _ unit: MeasurementUnitOID?) -> Bool {
            ValueNormaliser.judge(value, for: item, in: study, unit: unit).isAcceptable
        }
        #expect(isAcceptable("200", nil))
        #expect(isAcceptable("200", "LB"))
        #expect(!isAcceptable("200", "KG"))
        #expect(!isAcceptable("300", nil))
        #expect(isAcceptable("149.99", "KG"))
    }

    @Test func `every comparator means what ODM says`() {
        let cases: [(RangeCheckComparator, [String], [(String, Bool)])] = [
            (.lessThan, ["5"], [("4.9", true), ("5", false), ("-7", true)]),
            (.atMost, ["5"], [("5.0", true), ("5.1", false)]),
            (.greaterThan, ["-1"], [("-0.5", true), ("-1", false), ("-2", false)]),
            (.atLeast, ["10"], [("9", false), ("10", true), ("100", true)]),
            (.equal, ["1.0"], [("1", true), ("2", false)]),
            (.notEqual, ["1"], [("1.00", false), ("2", true)]),
            (.oneOf, ["1", "2.50"], [("2.5", true), ("3", false)]),
            (.noneOf, ["1", "2"], [("2", false), ("3", true)]),
        ]
        let study = StudyDefinition(
            studyOID: "S", metaDataVersionOID: "M", metaDataVersionName: "", studyName: "", studyDescription: "",
            protocolName: "")
        for (comparator, values, examples) in cases {
            var item = ItemDefinition(oid: "I", name: "I", dataType: .float)
            item.rangeChecks = [RangeCheck(comparator: comparator, values: values, severity: .hard)]
            for (value, holds) in examples {
                let isAcceptable = ValueNormaliser.judge(value, for: item, in: study).isAcceptable
                #expect(isAcceptable == holds, "\(comparator) \(value)")
            }
        }
        var date = ItemDefinition(oid: "D", name: "D", dataType: .partialDate)
        date.rangeChecks = [RangeCheck(comparator: .atLeast, values: ["2020-06-15"], severity: .hard)]
        for (value, isAcceptable) in [
            ("2019", false), ("2020", true), ("2020-05", false), ("2020-06-15", true), ("2021", true),
        ] {
            #expect(ValueNormaliser.judge(value, for: date, in: study).isAcceptable == isAcceptable, "\(value)")
        }
    }

    @Test func `numeric lists compare codes as numbers, others letter by letter`() {
        let numbers = CodeListDefinition(
            oid: "N", name: "N", dataType: .integer,
            entries: [CodeListEntry(codedValue: "02", orderNumber: 2), CodeListEntry(codedValue: "1", orderNumber: 1)])
        #expect(numbers.entries.map(\.codedValue) == ["1", "02"])
        #expect(numbers.allows("2"))
        #expect(numbers.allows("true"))
        #expect(!numbers.allows("3"))
        let words = CodeListDefinition(
            oid: "T", name: "T", dataType: .text, entries: [CodeListEntry(codedValue: "02")])
        #expect(words.allows("02"))
        #expect(!words.allows("2"))
        let elsewhere = CodeListDefinition(
            oid: "M", name: "MedDRA", dataType: .text, entries: [],
            external: ExternalCodeList(dictionary: "MedDRA", version: "27.0"))
        #expect(elsewhere.allows("10000001"))
    }
}
