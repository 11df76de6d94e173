using IfBus.Sip.Simulators;

namespace IfBus.Sip.Tests.Contract;

/// <summary>The contract on the simulator of FreeSWITCH 1.10.</summary>
public sealed class FreeSwitchSimulatorContract : FreeSwitchContract
{
    protected override ContractServer Server { get; } = Start();

    private static ContractServer Start()
    {
        FreeSwitchSimulator simulator = FreeSwitchSimulator.Start();
        return new ContractServer(simulator.Host, simulator.Port, simulator.User, simulator.Secret, simulator);
    }
}
