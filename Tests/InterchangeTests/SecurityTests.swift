import Interchange
import Testing
import Trial

struct SecurityTests {
    private func problems(_ text: String, limits: ODMReadingLimits = ODMReadingLimits()) -> [ImportProblem] {
        problems([UInt8](text.utf8), limits: limits)
    }

    private func problems(_ bytes: [UInt8], limits: ODMReadingLimits = ODMReadingLimits()) -> [ImportProblem] {
        ODMClinicalReader(definition: nil, limits: limits).check(bytes: bytes, fileName: "f").report.problems
    }

    @Test func `document types are refused before anything is parsed`() throws {
        let entity = "<!DOCTYPE ODM [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;&a;\">]>\n"
        let text = SmallStudy.clinical.replacing("<ODM ", with: "<!-- harmless -->\n" + entity + "<ODM ")
        let found = problems(text)
        #expect(found.map(\.kind) == [.unsupported])
        #expect(found.first?.line == 3)
    }

    @Test(arguments: ["UTF-16", "windows-1252", "UTF-7", "EBCDIC-CP-US"])
    func `other encodings are refused`(encoding: String) {
        let text = SmallStudy.clinical.replacing("encoding=\"UTF-8\"", with: "encoding=\"\(encoding)\"")
        #expect(problems(text).map(\.kind) == [.unsupported])
    }

    @Test func `two-byte text, nothing and other files are refused`() {
        #expect(problems([0xFF, 0xFE, 0x3C, 0x00]).map(\.kind) == [.notWellFormed])
        #expect(problems([0x3C, 0x00, 0x4F, 0x00]).map(\.kind) == [.notWellFormed])
        #expect(problems([]).map(\.kind) == [.notWellFormed])
        #expect(problems("   \n").map(\.kind) == [.notWellFormed])
        #expect(problems("PK\u{3}\u{4}").map(\.kind) == [.notWellFormed])
        #expect(problems("<html/>").map(\.kind) == [.unsupported])
        #expect(problems([0xEF, 0xBB, 0xBF] + [UInt8](SmallStudy.clinical.utf8)).isEmpty)
    }

    @Test func `size, depth, attributes and forms are bounded`() {
        #expect(
            problems(SmallStudy.clinical, limits: ODMReadingLimits(maximumFileBytes: 100)).map(\.kind) == [.tooLarge])
        #expect(problems(SmallStudy.clinical, limits: ODMReadingLimits(maximumDepth: 5)).map(\.kind) == [.tooLarge])
        #expect(
            problems(SmallStudy.clinical, limits: ODMReadingLimits(maximumTextBytes: 15)).map(\.kind) == [.tooLarge])
        #expect(
            problems(SmallStudy.clinical, limits: ODMReadingLimits(maximumAttributes: 1)).map(\.kind) == [.tooLarge])
        #expect(
            problems(SmallStudy.clinical, limits: ODMReadingLimits(maximumElementsHeld: 3)).map(\.kind) == [.tooLarge])
        let long = SmallStudy.clinical.replacing("\"P-1\"", with: "\"\(String(repeating: "x", count: 2_000))\"")
        #expect(problems(long).map(\.kind) == [.tooLarge])
        let deep = SmallStudy.clinical.replacing(
            "<ItemData ItemOID=\"IT.AGE\"",
            with: String(repeating: "<a>", count: 5_000) + "<ItemData ItemOID=\"IT.AGE\"")
        #expect(problems(deep).map(\.kind) == [.tooLarge])
    }

    @Test func `damaged files never trap, and never deliver without saying so`() throws {
        let definition = try SmallStudy.definition()
        let clinical = [UInt8](SmallStudy.clinical.utf8)
        let metadata = [UInt8](SmallStudy.metadata.utf8)
        var random = TestRandom(seed: 11)
        for _ in 0..<1_500 {
            var damaged = clinical
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let position = Int.random(in: 0..<damaged.count, using: &random)
                switch Int.random(in: 0...2, using: &random) {
                case 0: damaged[position] = UInt8.random(in: 0...255, using: &random)
                case 1: damaged.remove(at: position)
                default: damaged.insert(clinical[Int.random(in: 0..<clinical.count, using: &random)], at: position)
                }
            }
            let reader = ODMClinicalReader(definition: definition)
            let (data, summary) = reader.readAll(bytes: damaged, fileName: "d", mode: .strict)
            #expect(summary.report.hasErrors == false || data.subjects.isEmpty)
            _ = reader.readAll(bytes: damaged, fileName: "d", mode: .lenient)
            var other = metadata
            other[Int.random(in: 0..<other.count, using: &random)] = UInt8.random(in: 0x20...0x7E, using: &random)
            let (study, report) = ODMMetadataReader.read(bytes: other, fileName: "m")
            #expect((study == nil) == report.hasErrors)
        }
    }
}
