import EventLog
import Replication
import SwiftProtobuf
import Testing
import Trial

/// Numbers of enumerations mean the same in the schema and in the source, in both directions.
struct EnumerationSchemaTests {
    /// The names of the schema's numbers but the unspecified 0, as generated code spells them.
    private func names<Code: SwiftProtobuf.Enum & CaseIterable>(
        _ type: Code.Type, withZero: Bool = false, prefix: String = ""
    ) -> [UInt64: String] {
        var names: [UInt64: String] = [:]
        for code in Code.allCases where code.rawValue != 0 || withZero {
            let name = "\(code)".dropFirst(prefix.count)
            names[UInt64(code.rawValue)] = name.prefix(1).lowercased() + name.dropFirst()
        }
        return names
    }

    /// "screen failure" is `screenFailure`.
    private func joined(_ names: [UInt64: String]) -> [UInt64: String] {
        names.mapValues { name in
            let words = name.split(separator: " ")
            return words.dropFirst().reduce(String(words.first ?? "")) {
                $0 + $1.prefix(1).uppercased() + $1.dropFirst()
            }
        }
    }

    @Test func `open enumerations have the same numbers under the same names`() {
        #expect(names(Varde_V0_OperationType.self, prefix: "operation") == joined(OperationType.names))
        #expect(names(Varde_V0_PartKind.self) == joined(PartKind.names))
        #expect(names(Varde_V0_ActorKind.self) == joined(ActorKind.names))
        #expect(names(Varde_V0_Role.self) == joined(Role.names))
        #expect(names(Varde_V0_Authentication.self, withZero: true) == joined(Authentication.names))
        #expect(names(Varde_V0_RefusalCode.self, prefix: "refusal") == joined(RefusalCode.names))
        // "start guard failed" is for people.
        #expect(Set(names(Varde_V0_LogOpeningReason.self).keys) == Set(LogOpeningReason.names.keys))
        #expect(names(Varde_V0_LogOpeningReason.self)[LogOpeningReason.restored.rawValue] == "restored")
    }

    @Test func `closed enumerations have the same numbers under the same names`() {
        func named<Value: RawRepresentable<UInt64>>(_ type: Value.Type) -> [UInt64: String] {
            var names: [UInt64: String] = [:]
            for number in UInt64(0)..<100 { if let value = Value(rawValue: number) { names[number] = "\(value)" } }
            return names
        }
        #expect(names(Varde_V0_Source.self) == named(Trial.Source.self))
        #expect(names(Varde_V0_LabelKind.self) == named(LabelKind.self))
        #expect(names(Varde_V0_InstanceKind.self) == named(InstanceKind.self))
        #expect(names(Varde_V0_ValueKind.self) == named(ValueKind.self))
        #expect(names(Varde_V0_InstanceVerdict.self) == named(InstanceVerdict.self))
        #expect(names(Varde_V0_SideVerdict.self) == named(SideVerdict.self))
        #expect(names(Varde_V0_NodeState.self) == named(CharterNode.State.self))
        #expect(Set(names(Varde_V0_ParticipantStatus.self).values) == Set(ParticipantStatus.allCases.map { "\($0)" }))
        #expect(Set(names(Varde_V0_ResponseStatus.self).values) == Set(ResponseStatus.allCases.map { "\($0)" }))
    }
}
