import EventLog
import Node

/// A node's figures in the text format of Prometheus (exposition format 0.0.4, which OpenMetrics readers take too).
///
/// Every figure stands here by name; nothing is passed through, so nothing about a study can get in by accident.
struct MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private(set) var text = ""

    init(_ metrics: NodeMetrics) {
        let node = [("node", metrics.node.text), ("network", metrics.network.text), ("software", metrics.software)]
        add("varde_info", "gauge", "The node; always 1.", [(node, 1)])
        add(
            "varde_may_append", "gauge", "Whether the rule of the start lets the node write.", metrics.mayAppend ? 1 : 0
        )
        add("varde_entries", "gauge", "Entries held, of all streams.", Double(metrics.entries))
        add("varde_logs", "gauge", "Logs held.", Double(metrics.logs))
        add("varde_charter_version", "gauge", "Version of the charter known.", Double(metrics.charterVersion))
        add(
            "process_resident_memory_bytes", "gauge", "Memory that the process holds resident.",
            Double(metrics.residentBytes))
        add(metrics.peers)
        add(metrics.transport)
    }

    private mutating func add(_ peers: [PeerStatus]) {
        func each(_ value: (PeerStatus) -> Double?) -> [([(String, String)], Double)] {
            peers.compactMap { peer in value(peer).map { ([("peer", peer.node.text)], $0) } }
        }
        add(
            "varde_peer_exchanging", "gauge", "Whether heads and entries are exchanged with the peer.",
            each { $0.phase == "exchanging" ? 1 : 0 })
        add(
            "varde_peer_entries_lacking_here", "gauge", "Entries that the peer holds and that are not here yet.",
            each { Double($0.entriesLackingHere) })
        add(
            "varde_peer_entries_it_lacks", "gauge", "Entries held here that the peer is not known to hold.",
            each { Double($0.entriesItLacks) })
        add("varde_peer_logs_in_flight", "gauge", "Logs being pulled from the peer.", each { Double($0.logsInFlight) })
        add(
            "varde_peer_credit_bytes", "gauge", "Bytes that the peer may still send of what was asked for.",
            each { Double($0.creditBytes) })
        add(
            "varde_peer_storing_bytes", "gauge", "Bytes that came from the peer and are not durable yet.",
            each { Double($0.bytesBeingStored) })
        add(
            "varde_peer_pushed_bytes", "gauge", "Bytes under way to the peer unasked, without a receipt.",
            each { Double($0.pushedBytes) })
        add(
            "varde_peer_sent_bytes_total", "counter", "Bytes of messages sent to the peer since the start.",
            each { Double($0.sentBytes) })
        add(
            "varde_peer_received_bytes_total", "counter", "Bytes of messages received from the peer since the start.",
            each { Double($0.receivedBytes) })
        add(
            "varde_peer_faults_total", "counter", "Ranges of the peer's that were refused, and messages not readable.",
            each { Double($0.faults) })
        add(
            "varde_peer_refusals_total", "counter", "Messages of this node that the peer refused.",
            each { Double($0.refusals) })
        add(
            "varde_peer_silence_seconds", "gauge", "Since the peer was last heard; absent where it never was.",
            each { $0.silenceMilliseconds.map { Double($0) / 1_000 } })
    }

    private mutating func add(_ transport: TransportStatus) {
        let name = "varde_transport"
        add(
            "\(name)_handshakes_refused_total", "counter", "Connections whose key the charter does not admit.",
            Double(transport.handshakesRefused))
        add(
            "\(name)_handshakes_failed_total", "counter", "Connections that failed before a key was proven.",
            Double(transport.handshakesFailed))
        add(
            "\(name)_connections_lost_total", "counter", "Connections to this node that ended.",
            Double(transport.connectionsLost))
        add(
            "\(name)_frames_ignored_total", "counter", "Frames of keys that are no longer admitted.",
            Double(transport.framesIgnored))
        add(
            "\(name)_frames_malformed_total", "counter", "Frames that do not follow the transport's format.",
            Double(transport.framesMalformed))
        add(
            "\(name)_messages_dropped_total", "counter", "Messages on links that were not up.",
            Double(transport.messagesDropped))
        add(
            "\(name)_pauses_total", "counter",
            "Times that a link was left alone for a moment, because only messages came that nobody can use.",
            Double(transport.pauses))
        add(
            "\(name)_sends_refused_total", "counter", "Sends that a full link, or none, did not take.",
            Double(transport.sendsRefused))
    }

    private mutating func add(_ name: String, _ type: String, _ help: String, _ value: Double) {
        add(name, type, help, [([], value)])
    }

    private mutating func add(
        _ name: String, _ type: String, _ help: String, _ samples: [(labels: [(String, String)], value: Double)]
    ) {
        text += "# HELP \(name) \(help)\n# TYPE \(name) \(type)\n"
        for sample in samples {
            let labels = sample.labels.map { "\($0.0)=\"\(MetricsText.escaped($0.1))\"" }.joined(separator: ",")
            text += name + (labels.isEmpty ? "" : "{\(labels)}") + " \(MetricsText.number(sample.value))\n"
        }
    }

    /// A label's value: backslash, quotation mark and line feed are escaped.
    private static func escaped(_ text: String) -> String {
        text.reduce(into: "") { result, character in
            switch character {
            case "\\": result += "\\\\"
            case "\"": result += "\\\""
            case "\n": result += "\\n"
            default: result.append(character)
            }
        }
    }

    /// Whole numbers without a fraction, as people read them.
    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int(value)) : String(value)
    }
}
