import EventLog
import Foundation
import Replication
import Trial

/// Headers, bodies, charters and messages that a seed makes: every optional field there or not.
struct RandomDocuments {
    var generator: SplitMix64

    init(seed: UInt64) { generator = SplitMix64(seed: seed) }

    private mutating func number() -> UInt64 { generator.one(of: 0, 1, 127, 128, 300, UInt64.max) }
    private mutating func code() -> UInt64 { generator.one(of: 0, 1, 2, 5, 127, 300, UInt64(Int32.max)) }
    private mutating func signed() -> Int64 { generator.one(of: 0, 1, -1, 64, -65, Int64.max, Int64.min) }
    private mutating func chance() -> Bool { generator.chance(50) }
    private mutating func label<Label: LabelIdentifier>() -> Label { Label(unchecked: "l\(generator.below(1000))") }
    private mutating func text() -> String { generator.one(of: "", "a", "Åsane – e\u{301}", "👩🏽‍⚕️ \u{0}") }
    private mutating func key<Key: HashIdentifier>() -> Key { Key(generator.hash()) }
    private mutating func list<Element>(_ most: Int, _ make: (inout RandomDocuments) -> Element) -> [Element] {
        (0..<generator.below(most + 1)).map { _ in make(&self) }
    }

    mutating func header() -> EntryHeader {
        EntryHeader(
            mergeRules: number(), log: key(), index: number(), operation: OperationType(rawValue: code()),
            hybridTime: number(),
            nodeTime: NodeTime(
                utcMilliseconds: signed(), offsetMinutes: signed(), isSynchronised: chance(),
                errorBoundMilliseconds: chance() ? number() : nil),
            authority: Authority(
                actor: ActorID(using: &generator), kind: ActorKind(rawValue: code()), role: Role(rawValue: code()),
                authentication: Authentication(rawValue: code()), delegation: chance() ? key() : nil),
            known: KnownVersions(charter: number(), participation: number(), delegation: number()),
            definition: chance() ? generator.hash() : nil, software: text(),
            subject: chance() ? SubjectHandle(using: &generator) : nil,
            parts: list(64) {
                PartCommitment(
                    kind: PartKind(rawValue: $0.code()), commitment: $0.generator.hash(), byteCount: $0.number())
            },
            actorSignature: chance() ? generator.bytes(64) : [])
    }

    mutating func body() -> EntryBody {
        EntryBody(
            parts: list(20) { random in
                random.chance()
                    ? Part(
                        salt: RandomName(using: &random.generator),
                        bytes: random.generator.bytes(random.generator.below(40))) : nil
            })
    }

    mutating func opening() -> LogOpening {
        LogOpening(
            name: LogName(
                network: label(), node: label(), stream: stream(), epoch: Epoch(using: &generator)),
            reason: LogOpeningReason(rawValue: code()), command: CommandID(using: &generator),
            earlierHeads: list(4) { StatedHead(log: $0.key(), size: $0.number(), root: $0.generator.hash()) })
    }

    private mutating func stream() -> StreamID {
        let study = StudyID(using: &generator)
        return generator.one(
            of: .study(study), .location(label(), in: study),
            StreamID(study: study, scope: .restricted(class: "unblinded", location: nil)),
            StreamID(study: study, scope: .restricted(class: "unblinded", location: label())))
    }

    mutating func charter() -> Charter {
        Charter(
            network: label(), number: number(), previous: chance() ? generator.hash() : nil,
            nodes: list(4) { random in
                CharterNode(
                    id: random.label(), name: random.text(), region: random.chance() ? "Helse Nord" : nil,
                    signingKey: random.key(), curveKey: random.key(), witnessKey: random.key(),
                    state: random.generator.one(of: .admitted, .revoked),
                    accepted: random.list(3) {
                        StatedHead(log: $0.key(), size: $0.number(), root: $0.generator.hash())
                    })
            },
            locations: list(4) {
                CharterLocation(
                    id: $0.label(), name: $0.text(), host: $0.label(), region: $0.chance() ? "Helse Vest" : nil)
            },
            administrators: list(3) { $0.key() }, settles: list(2) { $0.generator.hash() })
    }

    /// The numbers of ``message(_:)``.
    static let messages = Array(0...9) + [20, 21, 22, 30, 31, 40]

    /// A message of the content with that number.
    mutating func message(_ content: Int) -> ReplicationMessage {
        switch content {
        case 0:
            return .hello(
                Hello(
                    node: label(), network: chance() ? label() : nil, charterCount: number(),
                    charterHash: generator.hash(), incarnation: number(), isAnswer: chance()))
        case 1: return .charterRequest(CharterRequest(first: number()))
        case 2:
            return .charterVersions(
                CharterVersions(first: number(), versions: list(4) { $0.generator.bytes($0.generator.below(60)) }))
        case 3:
            return .haveDigest(
                HaveDigest(
                    digest: generator.hash(), count: number(), isAnswer: chance(),
                    cosignatures: chance() ? generator.hash() : nil))
        case 4:
            let count = 1 + generator.below(3)
            let part = Have.Part(vector: number(), index: generator.below(count), count: count)
            return .have(
                Have(
                    part: chance() ? part : nil,
                    rows: list(4) { random in
                        let size = random.size()
                        let fork = ForkPoint(index: size / 2, leaf: random.generator.hash())
                        return HaveRow(
                            node: random.label(), stream: random.stream(), epoch: Epoch(using: &random.generator),
                            size: size, root: random.generator.hash(), fork: random.chance() ? fork : nil)
                    }))
        case 5: return .want(Want(log: key(), from: size(), pull: 1 + number() / 2, creditBytes: number()))
        case 6:
            let entries = (0...generator.below(4)).map { _ in
                RawEntry(header: generator.bytes(1 + generator.below(200)), body: generator.bytes(generator.below(200)))
            }
            return .range(
                RangeMessage(
                    pull: number(),
                    range: EntryRange(
                        log: key(), start: size() / 2, entries: entries, checkpoint: generator.bytes(30)),
                    isSentToAll: chance()))
        case 7: return .receipt(Receipt(log: key(), size: size(), root: generator.hash()))
        case 8: return .rangeUnavailable(RangeUnavailable(pull: 1 + number() / 2, isAgain: chance()))
        case 20:
            return .witnessRequest(
                WitnessedExtension(
                    oldSize: size(), path: list(5) { $0.generator.hash() },
                    checkpoint: generator.bytes(1 + generator.below(200))))
        case 21: return .witnessState(WitnessedSize(log: key(), size: size()))
        case 22:
            return .cosignatures(
                CosignatureRows(
                    rows: list(4) { random in
                        KeptCosignature(
                            head: StatedHead(log: random.key(), size: random.size(), root: random.generator.hash()),
                            witness: WitnessName(
                                network: random.label(), node: random.label(),
                                number: UInt32(random.generator.below(300))),
                            unixSeconds: random.number() >> 1, signature: random.generator.bytes(64))
                    }, isAll: chance()))
        case 30:
            return .forkProof(
                ForkProofMessage(
                    node: label(), stream: stream(), epoch: Epoch(using: &generator),
                    proof: ForkProof(
                        smaller: checkpoint(), larger: checkpoint(), prefixRoot: generator.hash(),
                        path: list(5) { $0.generator.hash() })))
        case 31: return .forkKnown(ForkKnown(log: key()))
        case 40:
            return .orders(
                OrdersMessage(
                    entries: list(4) { random in
                        SentOrder(
                            node: random.label(), stream: random.stream(), epoch: Epoch(using: &random.generator),
                            index: random.size() - 1,
                            raw: RawEntry(header: random.generator.bytes(90), body: random.generator.bytes(50)),
                            checkpoint: random.generator.bytes(30), path: random.list(4) { $0.generator.hash() })
                    }))
        default: return .refusal(Refusal(code: RefusalCode(rawValue: code()), text: text()))
        }
    }

    /// A signed head by a key of no node.
    private mutating func checkpoint() -> SignedCheckpoint {
        let name: NodeID = label()
        let root = Data(generator.hash().bytes).base64EncodedString()
        let signature = Data(generator.bytes(68)).base64EncodedString()
        let note = "\(name)\n\(size())\n\(root)\n\n\u{2014} \(name) \(signature)\n"
        do {
            return try SignedCheckpoint(bytes: [UInt8](note.utf8))
        } catch {
            preconditionFailure("a note that we wrote cannot be read: \(error)")
        }
    }

    private mutating func size() -> UInt64 { generator.one(of: 1, 127, 128, 70_000, 1 << 40) }
}
