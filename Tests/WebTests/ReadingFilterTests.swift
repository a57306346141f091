import EventLog
import Node
import Testing
import Trial
import Web

/// Of several study sites at one node a token is told of those at which its holder is delegated, wherever it looks.
@Suite(.serialized)
struct ReadingFilterTests {
    private static let sites = ["haukeland", "voss"]

    private func texts(_ list: JSON?, _ member: String) -> Set<String> {
        Set(list?.elements.compactMap { $0[member]?.text } ?? [])
    }

    /// What is answered to whoever may not read it.
    private func expectRefused(
        _ response: LoopbackResponse, code: String = "not-delegated", _ contract: PublishedContract,
        _ comment: Comment = ""
    ) throws {
        #expect(response.status == 403, comment)
        let problem = try response.json()
        #expect(problem["code"] == .string(code), comment)
        #expect(contract.faults(problem, schema: "Problem") == [], comment)
    }

    @Test func `a nurse reads the participants of her study site, and of the others not even how many there are`()
        async throws
    {
        let contract = try PublishedContract()
        try await withNode(sites: Self.sites) { node in
            let own = try await node.registered("H-001")
            let neighbour = try await node.token(.studyNurse, at: StudySiteID(unchecked: "voss"))
            let other = try await node.registered("V-001", at: "voss", token: neighbour)
            // Each their own, whether they ask for all or by name.
            for (token, location) in [(node.nurse, "haukeland"), (neighbour, "voss")] {
                let list = try await node.get(node.studyPath + "/participants", token: token).json()
                #expect(texts(list["participants"], "location") == [location])
                let due = try await node.get(node.studyPath + "/questionnaires", token: token).json()
                #expect(texts(due["questionnaires"], "location") == [location])
                let rows = try await node.get(node.studyPath + "/monitoring", token: token).json()
                #expect(texts(rows["locations"], "location") == [location])
                let status = try await node.get("/api/v0/node", token: token).json()
                #expect(texts(status["streams"], "location") == [location])
                #expect(status["counts"]?["participants"] == .number(1))
                let logs = status["streams"]?.elements.flatMap { $0["logs"]?.elements ?? [] } ?? []
                #expect(status["entries"]?.number == logs.compactMap { $0["size"]?.number }.reduce(0, +))
            }
            #expect(try await node.get(own).status == 200)
            #expect(try await node.get(own, token: neighbour).status == 403)
            let form = try await node.get(other, token: neighbour).json()["events"]?.elements.first?["forms"]?.elements
                .first?["instance"]?.text
            let path = other + "/forms/" + (try required(form, "form"))
            #expect(try await node.get(path, token: neighbour).status == 200)
            let saved = JSON.object(["command": .string(CommandID.drawn().description), "reason": .string("x")])
            let receipt = try await node.post(other + "/removals", saved, token: neighbour)
            #expect(receipt.status == 201, "\(receipt.text)")
            let entry = try required(receipt.headers["location"], "Location")
            #expect(try await node.get(entry, token: neighbour).status == 200)
            let lists = ["participants", "questionnaires", "conflicts"].map { node.studyPath + "/\($0)?location=voss" }
            for path in [other, path, entry, node.studyPath + "/sites/voss"] + lists {
                try expectRefused(try await node.get(path), contract, "\(path)")
            }
            #expect(try await node.get(node.studyPath + "/sites/haukeland").status == 200)
            let removal = JSON.object(["command": .string(CommandID.drawn().description), "reason": .string("x")])
            try expectRefused(try await node.post(other + "/removals", removal), contract)
        }
    }

    @Test func `that somebody was erased is told to whoever may have seen the record, and to nobody else`() async throws
    {
        let contract = try PublishedContract()
        try await withNode(sites: Self.sites) { node in
            let neighbour = try await node.token(.studyNurse, at: StudySiteID(unchecked: "voss"))
            let record = try await node.registered("V-001", at: "voss", token: neighbour)
            let id = try required(record.split(separator: "/").last.map(String.init), "id")
            try await node.erase(id, at: "voss")
            let gone = try await node.get(record, token: neighbour)
            #expect(gone.status == 410)
            #expect(try gone.json()["code"] == .string("participant-erased"))
            try expectRefused(try await node.get(record), contract)
        }
    }

    @Test func `where the study is coordinated, its data manager sees every location`()
        async throws
    {
        try await withNode(participants: 6, sites: Self.sites) { node in
            let manager = try TokenFile(node.directory).add(
                actor: ActorID(RandomName(high: 8, low: 8)), role: .dataManager, name: "Manager")
            let list = try await node.get(node.studyPath + "/participants", token: manager).json()
            #expect(texts(list["participants"], "location") == Set(Self.sites))
            let rows = try await node.get(node.studyPath + "/monitoring", token: manager).json()
            #expect(texts(rows["locations"], "location") == Set(Self.sites))
            for site in Self.sites {
                #expect(try await node.get(node.studyPath + "/sites/" + site, token: manager).status == 200)
            }
        }
    }

    /// What comes of a stream of changes until it ends, or until `isEnough`, or until so many heartbeats brought nothing that
    /// nothing more will come.
    private func listen(
        _ node: TestNode, _ token: String, until isEnough: @Sendable (String) -> Bool,
        meanwhile: @Sendable () async throws -> Void
    ) async throws -> (text: String, hasEnded: Bool) {
        try await LoopbackClient.connect(port: node.port) { client in
            try await client.send("GET", node.studyPath + "/events", headers: node.headers(token))
            _ = try await client.readHead()
            var text = String(decoding: try await client.readChunk() ?? [], as: UTF8.self)
            try await meanwhile()
            while !isEnough(text), text.ranges(of: "nothing new").count < 4 {
                guard let chunk = try await client.readChunk() else { return (text, true) }
                text += String(decoding: chunk, as: UTF8.self)
            }
            return (text, false)
        }
    }

    @Test func `who listens is told of their own locations only`() async throws {
        try await withNode(sites: Self.sites) { node in
            let neighbour = try await node.token(.studyNurse, at: StudySiteID(unchecked: "voss"))
            let told = try await listen(node, node.nurse) {
                $0.contains("\"location\":\"haukeland\"")
            } meanwhile: {
                _ = try await node.registered("V-001", at: "voss", token: neighbour)
                _ = try await node.registered("H-001")
            }
            #expect(!told.text.contains("voss"))
        }
    }

    @Test func `who listens is told nothing more once the token is removed or the delegation ended`() async throws {
        try await withNode { node in
            let token = try TokenFile(node.directory).add(actor: node.nurseActor, role: .studyNurse, name: "same nurse")
            let other = try await node.token(.studyNurse)
            let removed = try await listen(node, token) {
                $0.contains("event: change")
            } meanwhile: {
                let hash = Hash.sha256([UInt8](token.utf8)).hex
                #expect(try TokenFile(node.directory).remove(prefix: hash) == 1)
                _ = try await node.registered("H-001")
            }
            #expect(removed.hasEnded && removed.text.contains("not be read any more"))
            let ended = try await listen(node, node.nurse) {
                $0.contains("registered")
            } meanwhile: {
                try await node.endDelegation(node.nurseActor, .studyNurse)
                _ = try await node.registered("H-002", token: other)
            }
            #expect(ended.hasEnded && ended.text.contains("not be read any more"))
        }
    }
}
