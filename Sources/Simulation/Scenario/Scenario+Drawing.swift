import EventLog

extension Scenario {
    /// How long things go wrong.
    static let faultMilliseconds = 24_000

    /// Draws the scenario of a seed.
    public static func draw(seed: UInt64) -> Scenario {
        var generator = SimulationGenerator(seed: seed)
        var scenario = Scenario(
            seed: seed, topology: generator.one(of: .mesh, .mesh, .star, .ring), network: NetworkFaults(), hostile: nil,
            steps: [])
        if generator.chance(75) {
            scenario.network.dropPercent = generator.chance(60) ? generator.number(1...30) : 0
            scenario.network.duplicatePercent = generator.chance(60) ? generator.number(1...50) : 0
            scenario.network.reorders = generator.chance(50)
            scenario.network.maximumDelayMilliseconds = generator.one(of: 2, 20, 200, 1_500)
            scenario.network.sendFailurePercent = generator.chance(30) ? generator.number(1...10) : 0
        }
        if generator.chance(35) { scenario.hostile = generator.one(of: .ahus, .unn, .stavanger) }
        var drawn: [(time: UInt64, node: NodeID, action: Action)] = []
        drawCommands(100, into: &drawn, using: &generator)
        drawFaults(into: &drawn, using: &generator)
        scenario.steps = drawn.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }
            .enumerated().map { number, item in
                Step(
                    number: number, time: item.element.time, node: item.element.node, action: item.element.action,
                    generatorSeed: generator.next())
            }
        return scenario
    }

    private static func moment(_ generator: inout SimulationGenerator) -> UInt64 {
        UInt64(generator.number(0...faultMilliseconds))
    }

    private static func drawCommands(
        _ count: Int, into drawn: inout [(time: UInt64, node: NodeID, action: Action)],
        using generator: inout SimulationGenerator
    ) {
        for _ in 0..<count {
            let time = moment(&generator)
            switch generator.below(100) {
            case ..<84:
                drawn.append((time, generator.one(of: .haukeland, .haukeland, .stavanger, .stavanger, .unn), .command))
            case ..<92:
                drawn.append(
                    (time, generator.one(of: .haukeland, .norcrin, .norcrin, .stavanger, .unn), .authorityCommand))
            default:
                drawn.append(
                    (
                        time, generator.one(of: .haukeland, .stavanger, .unn, .norcrin),
                        .repeatCommand(otherwise: generator.chance(25))
                    ))
            }
        }
    }

    private static func drawFaults(
        into drawn: inout [(time: UInt64, node: NodeID, action: Action)],
        using generator: inout SimulationGenerator
    ) {
        func node() -> NodeID { generator.pick(Cast.founders) ?? .norcrin }
        func down() -> UInt64 { UInt64(generator.number(50...4_000)) }
        func span() -> UInt64 { UInt64(generator.one(of: 300, 3_000, 10_000)) }
        let cuts: [Cut] = [.noticed, .silent, .oneWay, .flapping, .clogged]
        for _ in 0..<generator.below(6) {
            drawn.append(
                (moment(&generator), node(), .cut(node(), generator.pick(cuts) ?? .silent, milliseconds: span())))
        }
        for _ in 0..<generator.below(4) {
            drawn.append((moment(&generator), node(), .isolate(generator.pick(cuts) ?? .silent, milliseconds: span())))
        }
        for _ in 0..<3 {
            drawn.append((moment(&generator), generator.one(of: .norcrin, .haukeland, .stavanger), .inspect))
        }
        if generator.chance(25) { drawn.append((moment(&generator), node(), .slow(milliseconds: span()))) }
        for _ in 0..<generator.below(4) {
            let operations = generator.chance(70) ? generator.number(1...30) : nil
            drawn.append(
                (
                    moment(&generator), node(),
                    .crash(isPower: generator.chance(60), operations: operations, downMilliseconds: down())
                ))
        }
        if generator.chance(25) {
            drawn.append(
                (
                    moment(&generator), node(),
                    .diskFails(
                        generator.one(of: .full, .sync, .write), operations: generator.number(1...20),
                        downMilliseconds: down())
                ))
        }
        for _ in 0..<(generator.chance(25) ? 2 : 0) {
            let years = Int64(generator.one(of: -40, -3, 2, 30)) * 31_557_600_000
            drawn.append((moment(&generator), node(), .jumpClock(years)))
        }
        if generator.chance(20) { drawn.append((moment(&generator), node(), .freezeClock(milliseconds: 10_000))) }
        if generator.chance(20) {
            let first = moment(&generator)
            drawn.append((first, generator.one(of: .norcrin, .haukeland, .stavanger), .admit))
            for number in UInt64(1)...4 {
                drawn.append((first + number * 1_500, generator.one(of: .norcrin, .fonna, .norcrin), .authorityCommand))
            }
            for _ in 0..<4 { drawn.append((first + moment(&generator), .fonna, .command)) }
        }
        for _ in 0..<2 { drawForgetting(into: &drawn, using: &generator) }
    }

    /// A node that forgets what it held.
    private static func drawForgetting(
        into drawn: inout [(time: UInt64, node: NodeID, action: Action)], using generator: inout SimulationGenerator
    ) {
        let node = generator.pick(Cast.founders) ?? .norcrin
        let time = moment(&generator)
        let down = UInt64(generator.number(50...4_000))
        switch generator.below(10) {
        case 0: drawn.append((time, node, .flipBit))
        case 1: drawn.append((time, node, .replaceDisk(downMilliseconds: down)))
        case 2, 3:
            drawn.append((time / 2, node, .backUp))
            drawn.append((time, node, .restore(generator.one(of: .backup, .clone, .reverted), downMilliseconds: down)))
            // What is set back is dangerous where nobody can be asked.
            if generator.chance(50) { drawn.append((time, node, .isolate(.noticed, milliseconds: 6_000))) }
        default: break
        }
    }
}
