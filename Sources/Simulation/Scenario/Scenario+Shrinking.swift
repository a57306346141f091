extension Scenario {
    /// Runs the scenario.
    public func run() -> SeedResult { Simulation(self).run() }

    /// The shortest failing history that can be found: with fewer steps, and a network that does less wrong.
    ///
    /// - Parameter maximumRuns: how many scenarios are tried at most.
    /// - Returns: the scenario itself where it does not fail.
    public func shrunk(maximumRuns: Int = 400) -> (scenario: Scenario, result: SeedResult) {
        var best = (scenario: self, result: run())
        guard !best.result.isSound else { return best }
        var runs = 1
        func attempt(_ scenario: Scenario) -> Bool {
            guard runs < maximumRuns else { return false }
            runs += 1
            let result = scenario.run()
            guard !result.isSound else { return false }
            best = (scenario, result)
            return true
        }
        // Whole classes first: a run without them is faster too.
        var calmer = self
        calmer.network = NetworkFaults()
        calmer.hostile = nil
        if !attempt(calmer) { for change in Scenario.calmings { _ = attempt(change(best.scenario)) } }
        var length = max(1, best.scenario.steps.count / 2)
        while true {
            var hasShrunk = false
            var start = 0
            while start < best.scenario.steps.count {
                var shorter = best.scenario
                shorter.steps.removeSubrange(start..<min(start + length, shorter.steps.count))
                if attempt(shorter) { hasShrunk = true } else { start += length }
            }
            guard runs < maximumRuns, length > 1 || hasShrunk else { break }
            length = max(1, length / 2)
        }
        for change in Scenario.calmings { _ = attempt(change(best.scenario)) }
        return best
    }

    /// Changes that take one thing away that goes wrong all the time.
    private static let calmings: [@Sendable (Scenario) -> Scenario] = [
        { $0.changed { $0.hostile = nil } }, { $0.changed { $0.network.dropPercent = 0 } },
        { $0.changed { $0.network.duplicatePercent = 0 } }, { $0.changed { $0.network.reorders = false } },
        { $0.changed { $0.network.maximumDelayMilliseconds = 2 } },
        { $0.changed { $0.network.sendFailurePercent = 0 } }, { $0.changed { $0.topology = .mesh } },
    ]

    private func changed(_ body: (inout Scenario) -> Void) -> Scenario {
        var scenario = self
        body(&scenario)
        return scenario
    }

    /// The history in words, a line for each step.
    public var lines: [String] {
        var setting = "seed \(seed), \(topology.rawValue)"
        if network.dropPercent > 0 { setting += ", \(network.dropPercent) % dropped" }
        if network.duplicatePercent > 0 { setting += ", \(network.duplicatePercent) % twice" }
        if network.reorders { setting += ", out of order" }
        if network.sendFailurePercent > 0 { setting += ", \(network.sendFailurePercent) % not taken" }
        setting += ", up to \(network.maximumDelayMilliseconds) ms on the way"
        if let hostile { setting += ", \(hostile) hostile" }
        return [setting] + steps.map(\.description)
    }
}
