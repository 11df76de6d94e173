using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of Yate 6.4.</summary>
public sealed class YateSimulatorContract : YateContract
{
    protected override ContractServer Server { get; } = Start();

    private static ContractServer Start()
    {
        YateSimulator simulator = YateSimulator.Start();
        return new ContractServer(simulator.Host, simulator.Port, "nobody", "", simulator);
    }
}
