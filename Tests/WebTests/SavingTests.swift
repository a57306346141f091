import EventLog
import Node
import StoreCore
import Testing
import Trial
import Web

/// A form is saved by whoever has seen what stands, and nobody's work is lost.
@Suite(.serialized)
struct SavingTests {
    /// A save of vital signs at inclusion.
    private func vitalSigns(
        _ values: [String: String], command: CommandID = .drawn(), seen: [JSON] = []
    ) -> JSON {
        .object([
            "command": .string(command.description), "event": .object(["oid": .string("SE.INCLUSION")]),
            "form": .object(["oid": .string("F.VS")]),
            "groups": .array([
                .object([
                    "group": .object(["oid": .string("IG.VS")]),
                    "items": .array(
                        values.sorted { $0.key < $1.key }.map {
                            .object(["item": .string($0.key), "datum": .string($0.value)])
                        }),
                ])
            ]), "seen": .array(seen),
        ])
    }

    private func vitalSignsPath(_ record: String, _ node: TestNode) async throws -> String {
        let contents = try await node.get(record).json()
        let forms = contents["events"]?.elements.first { $0["oid"] == .string("SE.INCLUSION") }?["forms"]?.elements
        let form = forms?.first { $0["oid"] == .string("F.VS") }
        return record + "/forms/" + (try required(form?["instance"]?.text, "form of vital signs"))
    }

    private func typed(_ item: String, in form: JSON) -> [String] {
        let rows: [JSON] = form["groups"]?.elements.flatMap { $0["rows"]?.elements ?? [] } ?? []
        let cells: [JSON] = rows.flatMap { $0["cells"]?.elements ?? [] }
        let values: [JSON] = cells.filter { $0["item"] == .string(item) }.flatMap { $0["values"]?.elements ?? [] }
        return values.compactMap { $0["typed"]?.text }
    }

    @Test func `a save is answered with where it stands, is read back with its value ids, and names who wrote it how`()
        async throws
    {
        let contract = try PublishedContract()
        try await withNode { node in
            let record = try await node.registered("H-001")
            let empty = try await node.get(try await vitalSignsPath(record, node)).json()
            #expect(empty["form"]?["isBegun"] == .boolean(false))
            #expect(empty["seen"] == .array([]))

            let response = try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "61", "IT.SYSBP": "131"]))
            #expect(response.status == 201, "\(response.text)")
            let receipt = try response.json()
            let route = "POST /api/v0/studies/{study}/participants/{participant}/forms"
            #expect(contract.faults(receipt, of: route, status: 201) == [])
            #expect(receipt["isRepeated"] == .boolean(false))
            #expect(receipt["durable"]?["here"] == .string("haukeland"))

            let form = try await node.get(try await vitalSignsPath(record, node)).json()
            #expect(typed("IT.PULSE", in: form) == ["61"])
            #expect(form["seen"]?.elements.count == 2)
            #expect(form["saves"]?.elements.compactMap { $0["entry"] } == [receipt["entry"]])

            let location = try required(response.headers["location"], "Location")
            let entry = try await node.get(location).json()
            #expect(contract.faults(entry, schema: "Entry") == [])
            #expect(entry["entry"] == receipt["entry"])
            #expect(entry["operation"] == .string("form saved"))

            let log = try required(receipt["log"]?.text.flatMap { LogID(hex: $0) }, "log")
            let index = UInt64(try required(receipt["index"]?.number, "index"))
            let stored = try StoreReader(directory: node.directory.path)
                .entry(at: EntryAddress(log: log, index: index))
            let header = try required(stored, "entry").parsed().header
            #expect(header.authority.authentication == .localToken)
            #expect(header.authority.actor == node.nurseActor)
            #expect(header.authority.kind == .person)
        }
    }

    @Test func `a command that is sent again has the receipt of the first time, also in other spacing`() async throws {
        try await withNode { node in
            let record = try await node.registered("H-001")
            let command = CommandID.drawn()
            let first = try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "61"], command: command))
            // Meanwhile the record has gone on; what was accepted stays accepted.
            let seen = try await node.get(try await vitalSignsPath(record, node)).json()["seen"]?.elements ?? []
            let next = try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "62"], seen: seen))
            #expect(next.status == 201)
            let again = try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "61"], command: command))
            #expect(again.status == 200)
            #expect(try again.json()["entry"] == first.json()["entry"])
            #expect(try again.json()["isRepeated"] == .boolean(true))

            let text = vitalSigns(["IT.PULSE": "61"], command: command)
            let spaced = String(decoding: text.bytes, as: UTF8.self).replacing(",", with: " ,\n ")
            let other = try await LoopbackClient.connect(port: node.port) { client in
                try await client.ask(
                    "POST", record + "/forms",
                    headers: node.headers(node.nurse, ("Content-Type", "application/json")), body: [UInt8](spaced.utf8))
            }
            #expect(other.status == 200, "\(other.text)")

            let changed = try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "63"], command: command))
            #expect(changed.status == 409)
            #expect(try changed.json()["code"] == .string("command-used-otherwise"))
        }
    }

    @Test func `who has not seen what stands is given it, with what was typed, and nothing is recorded`() async throws {
        let contract = try PublishedContract()
        try await withNode { node in
            let record = try await node.registered("H-001")
            _ = try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "61"]))
            let before = try await node.get("/api/v0/node").json()["entries"]
            let stale = vitalSigns(["IT.PULSE": "77", "IT.SYSBP": "120"])
            let response = try await node.post(record + "/forms", stale)
            #expect(response.status == 409)
            #expect(response.headers["content-type"] == "application/problem+json")
            let problem = try response.json()
            #expect(contract.faults(problem, schema: "Problem") == [])
            #expect(problem["code"] == .string("newer-values"))
            #expect(problem["items"] == .array([.string("IT.PULSE")]))
            #expect(problem["entered"]?["groups"] == stale["groups"])
            #expect(problem["detail"]?.text?.contains("61") == false)
            let newer = try required(problem["newer"], "newer form")
            #expect(typed("IT.PULSE", in: newer) == ["61"])
            #expect(try await node.get("/api/v0/node").json()["entries"] == before)

            // With what was given back the same person can decide.
            let decided = try await node.post(
                record + "/forms",
                vitalSigns(["IT.PULSE": "77", "IT.SYSBP": "120"], seen: newer["seen"]?.elements ?? []))
            #expect(decided.status == 201)
            let form = try await node.get(try await vitalSignsPath(record, node)).json()
            #expect(typed("IT.PULSE", in: form) == ["77"])
        }
    }

    @Test func `a status, a removal and its being taken back are commands like a save`() async throws {
        try await withNode { node in
            let record = try await node.registered("H-001")
            func body(_ more: [String: JSON]) -> JSON {
                .object(["command": .string(CommandID.drawn().description)].merging(more) { $1 })
            }
            let status = try await node.post(
                record + "/statuses", body(["status": .string("screened"), "eventDate": .string("2026-02")]))
            #expect(status.status == 201, "\(status.text)")
            let wrong = try await node.post(
                record + "/statuses", body(["status": .string("screened"), "eventDate": .string("tomorrow")]))
            #expect(wrong.status == 400)
            let removal = try await node.post(record + "/removals", body(["reason": .string("entered twice")]))
            #expect(removal.status == 201)
            #expect(try await node.get(record).json()["participant"]?["isRemoved"] == .boolean(true))
            let restoration = try await node.post(record + "/restorations", body(["reason": .string("not so")]))
            #expect(restoration.status == 201)
            let participant = try await node.get(record).json()["participant"]
            #expect(participant?["isRemoved"] == .boolean(false))
            #expect(participant?["statuses"]?.elements.map { $0["status"] } == [.string("screened")])
        }
    }

    @Test func `a value that may not stand is refused with its item, and never repeated`() async throws {
        let contract = try PublishedContract()
        try await withNode { node in
            let record = try await node.registered("H-001")
            let response = try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "sixty-one"]))
            #expect(response.status == 422)
            #expect(contract.faults(try response.json(), schema: "Problem") == [])
            #expect(response.text.contains("IT.PULSE"))
            #expect(!response.text.contains("sixty-one"))
        }
    }

    @Test func `a form whose values never stood together is shown so, and confirmed by who saw all of it`()
        async throws
    {
        let contract = try PublishedContract()
        try await withNode { node in
            let record = try await node.registered("H-001")
            // Each writes an item that holds nothing, without having seen the other one's.
            #expect(try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "61"])).status == 201)
            #expect(try await node.post(record + "/forms", vitalSigns(["IT.SYSBP": "131"])).status == 201)
            let path = try await vitalSignsPath(record, node)
            let form = try await node.get(path).json()
            #expect(form["status"] == .string("merged-unseen"))
            let seen = form["seen"]?.elements ?? []
            #expect(seen.count == 2)
            func confirmation(_ seen: [JSON], _ command: CommandID = .drawn()) -> JSON {
                .object([
                    "command": .string(command.description), "form": form["form"]?["instance"] ?? .null,
                    "seen": .array(seen),
                ])
            }
            // Who saw a part is given the whole, and nothing is recorded.
            let partial = try await node.post(record + "/confirmations", confirmation(Array(seen.prefix(1))))
            #expect(partial.status == 409, "\(partial.text)")
            #expect(try partial.json()["code"] == .string("newer-values"))
            #expect(try partial.json()["newer"]?["seen"] == .array(seen))
            #expect(try await node.get(path).json()["status"] == .string("merged-unseen"))
            let monitor = try await node.token(.monitor)
            #expect(try await node.post(record + "/confirmations", confirmation(seen), token: monitor).status == 403)

            let command = CommandID.drawn()
            let confirmed = try await node.post(record + "/confirmations", confirmation(seen, command))
            #expect(confirmed.status == 201, "\(confirmed.text)")
            let route = "POST /api/v0/studies/{study}/participants/{participant}/confirmations"
            #expect(contract.faults(try confirmed.json(), of: route, status: 201) == [])
            #expect(try await node.get(path).json()["status"] == .string("entered"))
            let again = try await node.post(record + "/confirmations", confirmation(seen, command))
            #expect(again.status == 200)
            #expect(try again.json()["entry"] == confirmed.json()["entry"])
            // The next value that nobody saw beside the others needs the next confirmation.
            #expect(try await node.post(record + "/forms", vitalSigns(["IT.DIABP": "80"])).status == 201)
            #expect(try await node.get(path).json()["status"] == .string("merged-unseen"))
        }
    }

    @Test func `whoever was told that an entry is durable finds it in the lists`() async throws {
        try await withNode { node in
            for number in 1...12 {
                let record = try await node.registered("H-\(number)")
                let list = try await node.get(node.studyPath + "/participants").json()
                #expect(list["isCurrent"] == .boolean(true))
                #expect(list["participants"]?.elements.count == number)
                #expect(try await node.post(record + "/forms", vitalSigns(["IT.PULSE": "61"])).status == 201)
                let own = try await node.get(node.studyPath + "/participants").json()["participants"]?.elements
                    .first { record.hasSuffix($0["participant"]?.text ?? "-") }
                #expect(own?["formCount"] == .number(1))
                #expect(own?["labels"]?.elements.map { $0["text"] } == [.string("H-\(number)")])
            }
        }
    }
}
